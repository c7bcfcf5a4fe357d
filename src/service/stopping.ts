import { setTimeout as delay } from 'node:timers/promises';
import type { WaitingRoom } from '../calls/waiting-room.ts';
import { within } from '../lib/within.ts';
import type { Log } from '../telemetry/log.ts';

/** Milliseconds that answers already given may take to leave the listeners. */
export const LISTENERS_LIMIT_MS = 4_000;
/** Milliseconds that every other part may take to close. */
export const PART_LIMIT_MS = 1_000;
/** Milliseconds between the signal and the end of the listeners: clients that keep their connections hear that it ends. */
const NOTICE_MS = 500;

/** Milliseconds that stopping takes at most once no call waits: every part has a limit of its own besides. */
export const STOP_LIMIT_MS = 8_000;

/** Closes a part, or leaves it and says so. Never rejects. */
export async function closePart(
  part: string,
  close: () => Promise<void>,
  limitMs: number,
  log: Log,
): Promise<void> {
  try {
    if (await within(close(), limitMs)) return;
    log.write('warn', 'stopping: a part does not close and is left', { part });
  } catch (error) {
    log.writeError('stopping: a part could not be closed', error, { part });
  }
}

/**
 * Stops a service that takes no new calls any more: waits until none waits, `graceMs` have passed or `hurry` resolves, gives
 * those that wait their NAK, then closes everything.
 */
export async function stopService(deps: {
  readonly room: Pick<WaitingRoom, 'size' | 'whenEmpty' | 'close'>;
  readonly graceMs: number;
  readonly hurry: Promise<void>;
  readonly log: Log;
  readonly everything: Pick<AsyncDisposableStack, 'disposeAsync'>;
}): Promise<void> {
  const { room, graceMs, hurry, log, everything } = deps;
  const noticed = Promise.race([delay(NOTICE_MS, undefined, { ref: false }), hurry]);
  log.write('info', 'stopping: no new calls', { waiting: room.size });
  await Promise.race([room.whenEmpty(graceMs), hurry]);
  room.close();
  await noticed;
  await within(everything.disposeAsync(), STOP_LIMIT_MS);
}
