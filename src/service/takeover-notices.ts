import type { TakeoverNotices } from '../devices/register-phone.ts';
import type { TakeoverNotice } from '../devices/takeover.ts';
import { monotonic } from '../lib/monotonic.ts';
import { newPushId } from '../lib/push-id.ts';
import type { NoticeChannel } from '../push/push-message.ts';
import type { PushSender } from '../push/sender.ts';

/** Apps compare the beginning of this text with their own copy of it; only these words make them understand. */
const TEXT = "An other device has registered for the same account. You won't be reachable on this device";

/** Milliseconds that a notice is tried for: nobody waits for it. */
const NOTICE_LIFETIME_MS = 10_000;

const CHANNELS = {
  'android-data': 'data',
  'apns-alert': 'alert',
  'apns-voip': 'voip',
} as const satisfies Record<Exclude<TakeoverNotice, 'none'>, NoticeChannel>;

/** Pushes the takeover notice to the phone that lost its account. How it ended is told by the push events. */
export function createTakeoverNotices(sender: Pick<PushSender, 'send'>): TakeoverNotices {
  return {
    tell: (previous, notice) => {
      void sender.send({
        id: newPushId(),
        device: previous,
        message: { kind: 'notice', text: TEXT, channel: CHANNELS[notice] },
        deadline: monotonic() + NOTICE_LIFETIME_MS,
        wanted: () => true,
      });
    },
  };
}
