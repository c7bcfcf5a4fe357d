import { createDeviceRow } from './device-row.ts';
import type { FinalVerdict } from './push-provider.ts';
import type { DeviceIdentity } from './suspects.ts';

/** Phones refused in a row, without any success, that make it the app's setup that is at fault. */
const SETUP_FAULT_PHONES = 20;
/** A token that only seems wrong needs a success of its app within this time to be dropped, milliseconds. */
const RECENT_SUCCESS_MS = 3_600_000;
/** ... and no more than this many phones refused since. */
const SUSPECT_PHONES = 5;
/** Shortest time between two alarms, milliseconds. */
const ALARM_PAUSE_MS = 60_000;

/** A verdict about a token. */
export type TokenVerdict = Extract<FinalVerdict, { kind: 'token-dead' | 'token-suspect' }>;

/** Why a refused token is kept. */
export type KeepReason =
  /** So many phones in a row that the app's setup is at fault. */
  | 'setup-fault'
  /** It only seems wrong, and the app had no success lately that would rule out its setup. */
  | 'no-recent-success'
  /** It died before this registration. */
  | 'registered-since';

/** What becomes of a refused token. */
type TokenFate =
  /** `registeredBefore`, ms since the epoch: only a registration older than that. */
  | { readonly kind: 'drop'; readonly registeredBefore?: number }
  /** `alarm`: somebody has to look at the app's setup; at most once a minute. */
  | { readonly kind: 'keep'; readonly reason: KeepReason; readonly alarm: boolean };

/** Keeps one app's wrong setup (topic, environment, project) from emptying the list of its phones. */
export interface TokenGuard {
  /** A push of the app was taken. */
  succeeded(): void;
  /** Decides for one phone; the same account or token again counts once. */
  refused(device: DeviceIdentity & { readonly registeredAt: number }, verdict: TokenVerdict): TokenFate;
}

/** Makes a guard that has seen nothing yet; `now` in monotonic milliseconds. */
export function createTokenGuard(now: () => number): TokenGuard {
  const row = createDeviceRow(SETUP_FAULT_PHONES);
  let succeededAt = Number.NEGATIVE_INFINITY;
  let alarmedAt = Number.NEGATIVE_INFINITY;

  function keep(reason: KeepReason, setupFault: boolean): TokenFate {
    const alarm = setupFault && now() - alarmedAt >= ALARM_PAUSE_MS;
    if (alarm) alarmedAt = now();
    return { kind: 'keep', reason, alarm };
  }

  return {
    succeeded: () => {
      succeededAt = now();
      row.clear();
    },
    refused: (device, verdict) => {
      row.add(device);
      if (row.size() >= SETUP_FAULT_PHONES) return keep('setup-fault', true);
      if (verdict.kind === 'token-suspect') {
        const trusted = now() - succeededAt <= RECENT_SUCCESS_MS && row.size() <= SUSPECT_PHONES;
        return trusted ? { kind: 'drop' } : keep('no-recent-success', false);
      }
      if (verdict.since === undefined) return { kind: 'drop' };
      if (device.registeredAt >= verdict.since) return keep('registered-since', false);
      return { kind: 'drop', registeredBefore: verdict.since };
    },
  };
}
