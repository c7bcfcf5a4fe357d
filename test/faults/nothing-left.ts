import { it } from 'node:test';
import { until } from '../../harness/until.ts';

/** What keeps a process alive and is ours to close; the runner's own pipes are not. */
const OURS = /Socket|Server|Connect|TLS|Timeout|HTTP|FSEvent|Worker/i;

function count(): Map<string, number> {
  const kinds = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (OURS.test(kind)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return kinds;
}

/** To be called first in a file, and its result last: a test that fails while more is open than in the beginning. */
export function watchForLeftovers(): () => void {
  const before = count();
  return () => {
    it('after all of it nothing is left open', async () => {
      let more: string[] = [];
      const closed = until(() => {
        more = [...count()].filter(([kind, open]) => open > (before.get(kind) ?? 0)).map(String);
        return more.length === 0;
      }, 'everything is closed');
      await closed.catch((cause) => {
        throw new Error(`left open: ${more.join('; ')}`, { cause });
      });
    });
  };
}
