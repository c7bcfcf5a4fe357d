import { setTimeout as delay } from 'node:timers/promises';

/** Waits until a condition holds, looking often; fails after 20 s, naming what was waited for. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await delay(5);
  }
}
