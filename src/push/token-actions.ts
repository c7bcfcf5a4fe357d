import type { PushTarget } from '../devices/device.ts';
import type { DeviceStore } from '../devices/device-store.ts';
import { saidBy } from './answer-detail.ts';
import type { AppSender } from './app-sender.ts';
import type { PushLabels, SenderEvents } from './push-events.ts';
import type { FinalVerdict } from './push-provider.ts';

/** What the sender asks of the device store. */
export type TokenStore = Pick<DeviceStore, 'dropToken' | 'setSandbox'>;

/** Does to the store what an answer said about a token. */
export interface TokenActions {
  /** Never throws and does not wait for the store. */
  take(sender: AppSender, device: PushTarget, labels: PushLabels, verdict: FinalVerdict): void;
  /** Ends when the store has been told everything. */
  settled(): Promise<void>;
}

/** Makes the actions on a store; what it cannot do is told as an event. */
export function createTokenActions(tokens: TokenStore, events: SenderEvents): TokenActions {
  const pending = new Set<Promise<void>>();

  function start(labels: PushLabels, work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => events.tokenStoreFailed({ ...labels, error }))
      .finally(() => pending.delete(done));
    pending.add(done);
  }

  return {
    take: ({ guard }, device, labels, verdict) => {
      const { account, token, appKey } = device;
      if (verdict.kind === 'accepted') {
        guard.succeeded();
        const { sandbox } = verdict;
        if (sandbox === undefined) return;
        start(labels, async () => {
          await tokens.setSandbox({ account, token, sandbox });
        });
        return;
      }
      if (verdict.kind !== 'token-dead' && verdict.kind !== 'token-suspect') return;
      const told = { ...labels, ...saidBy(verdict) };
      const fate = guard.refused(device, verdict);
      if (fate.kind === 'keep') {
        events.tokenKept({ ...told, because: fate.reason, alarm: fate.alarm });
        return;
      }
      // Where the provider gives no time, a registration that came while the push was under way is spared.
      const registeredBefore = fate.registeredBefore ?? device.registeredAt + 1;
      start(labels, async () => {
        const dropped = await tokens.dropToken({ account, token, appKey, registeredBefore });
        if (dropped) events.tokenDropped(told);
      });
    },
    settled: async () => {
      await Promise.all(pending);
    },
  };
}
