import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { WaitingRoom } from '../../src/calls/waiting-room.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { closePart, stopService } from '../../src/service/stopping.ts';
import type { LogFields } from '../../src/telemetry/redaction.ts';
import { makeDevice } from '../push/helpers/provider-fixture.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

const NEVER = new Promise<never>(() => {});

/** A log that is kept, and the time that a piece of work took. */
function scene() {
  const lines: Line[] = [];
  const log = {
    isOn: () => true,
    write: (level: string, message: string, fields: LogFields) => void lines.push({ level, message, fields }),
    writeError: (message: string, error: unknown, fields: LogFields) =>
      void lines.push({ level: 'error', message, fields: { ...fields, error: String(error) } }),
    flush: () => {},
  };
  const timed = async (work: Promise<void>): Promise<number> => {
    const began = monotonic();
    await work;
    return monotonic() - began;
  };
  return { lines, log, timed };
}

/** Stops a service in which one call waits, unless told. */
function stop(
  t: TestContext,
  options: { graceMs: number; hurry?: Promise<void>; calls?: number; hangs?: true },
) {
  const { log, lines, timed } = scene();
  const room = new WaitingRoom({ maxWaiting: 10, waitMs: 60_000 });
  t.after(() => room.close());
  const endings = Array.from({ length: options.calls ?? 1 }, (_, account) => {
    const ask = { askedAt: monotonic(), account, callId: undefined, phoneNumber: '1', callerId: '' };
    const entry = room.enter(ask, makeDevice());
    assert.ok(entry.kind === 'entered');
    return entry.call;
  });
  let closed = false;
  const disposeAsync = async (): Promise<void> => {
    closed = true;
    if (options.hangs) await NEVER;
  };
  const took = timed(
    stopService({
      room,
      graceMs: options.graceMs,
      hurry: options.hurry ?? NEVER,
      log,
      everything: { disposeAsync },
    }),
  );
  return { took, calls: endings, closed: () => closed, lines };
}

describe('how long stopping takes', { concurrency: true }, () => {
  it('without calls half a second, in which clients hear that their connections end', async (t) => {
    const { took, closed } = stop(t, { graceMs: 60_000, calls: 0 });
    await new Promise(setImmediate);
    assert.ok(!closed());
    const ms = await took;
    assert.ok(ms >= 490 && ms < 3_000, `${ms} ms`);
    assert.ok(closed());
  });

  it('with a call that ends by itself, until then', async (t) => {
    const { took, calls, closed, lines } = stop(t, { graceMs: 60_000 });
    const [call] = calls;
    setTimeout(() => call?.settle('ready'), 1_000);
    const ms = await took;
    assert.ok(ms >= 990 && ms < 5_000, `${ms} ms`);
    assert.deepEqual(call?.ending, { outcome: 'ready', reason: null });
    assert.ok(closed());
    assert.deepEqual(lines, [{ level: 'info', message: 'stopping: no new calls', fields: { waiting: 1 } }]);
  });

  it('with a call that goes on, the grace, which ends it', async (t) => {
    const { took, calls } = stop(t, { graceMs: 1_000 });
    const ms = await took;
    assert.ok(ms >= 990 && ms < 5_000, `${ms} ms`);
    assert.deepEqual(calls[0]?.ending, { outcome: 'shutting-down', reason: null });
  });

  it('in a hurry no time at all', async (t) => {
    const { took, calls } = stop(t, { graceMs: 60_000, hurry: Promise.resolve() });
    const ms = await took;
    assert.ok(ms < 400, `${ms} ms`);
    assert.deepEqual(calls[0]?.ending, { outcome: 'shutting-down', reason: null });
  });

  it('with parts that never close, eight seconds', async (t) => {
    const { took } = stop(t, { graceMs: 0, hangs: true, hurry: Promise.resolve() });
    const ms = await took;
    assert.ok(ms >= 7_900 && ms < 12_000, `${ms} ms`);
  });
});

describe('a part of a service that stops', () => {
  it('that closes is not spoken of', async () => {
    const { log, lines } = scene();
    await closePart('listeners', async () => {}, 1_000, log);
    assert.deepEqual(lines, []);
  });

  it('that does not close is left after its time, with a warning', async () => {
    const { log, lines, timed } = scene();
    const ms = await timed(closePart('listeners', () => NEVER, 200, log));
    assert.ok(ms >= 190 && ms < 3_000, `${ms} ms`);
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields]),
      [['warn', { part: 'listeners' }]],
    );
  });

  it('that fails to close is an error in the log and stops nothing', async () => {
    const { log, lines } = scene();
    await closePart('database', () => Promise.reject(new Error('torn')), 1_000, log);
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields]),
      [['error', { part: 'database', error: 'Error: torn' }]],
    );
  });
});
