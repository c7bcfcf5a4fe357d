import assert from 'node:assert/strict';
import { it } from 'node:test';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';
import { idleTelemetry } from '../helpers/idle-telemetry.ts';
import { recordedTelemetry } from './recorded.ts';

/** How often the event loop goes round during some work. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let next: NodeJS.Immediate;
  const count = (): void => {
    turns += 1;
    next = setImmediate(count);
  };
  next = setImmediate(count);
  await work();
  clearImmediate(next);
  return turns;
}

it('a scrape gives way to calls every 5 ms, and not before', async (t) => {
  const clock = { now: 100_000 };
  t.mock.method(performance, 'now', () => clock.now);
  let takesMs = 0;
  const telemetry = idleTelemetry({
    load: {
      callsWaiting: () => (clock.now += takesMs),
      connections: async () => (clock.now += takesMs),
      pushesInFlight: () => [],
      loop: { delayMs: 0, late: false },
    },
  });
  for (const [ms, turns] of [
    [0, 0],
    [2.4, 0],
    [2.5, 1],
    [5, 2],
  ] as const) {
    takesMs = ms;
    assert.equal(await turnsDuring(() => telemetry.readMetrics()), turns, `two figures of ${ms} ms each`);
  }
});

it('a scrape is what the registry itself would say', async () => {
  const { registry, readMetrics } = idleTelemetry();
  const withoutValues = (text: string) => text.replaceAll(/^([^#].*) \S+$/gm, '$1');
  assert.equal(withoutValues(await readMetrics()), withoutValues(await registry.metrics()));
});

it('when it closes, what was not logged yet is, and then the log is written out', async (t) => {
  const { telemetry, lines } = await recordedTelemetry(t);
  const error = new StorageUnavailable('gone', { cause: undefined });
  for (const during of ['a call', 'a check-in']) telemetry.http.storageFailed({ during, error });
  for (let times = 0; times < 25; times += 1) telemetry.limits.keyForgotten({ limit: 'pbx' });
  lines();
  let flushed = 0;
  t.mock.method(telemetry.log, 'flush', async () => {
    await Promise.resolve();
    flushed = lines().length;
  });
  await telemetry.close();
  assert.equal(flushed, 2, 'both lines were there to be written out');
});
