import { fitPayload } from '../../fit-text.ts';
import type { CallMessage } from '../../push-message.ts';

/** Bytes of a VoIP payload (Apple: "Generating a remote notification"; 4096 for every other push type). */
export const APNS_VOIP_LIMIT = 5120;

/**
 * The JSON of a call push, at most 5120 bytes with the caller's name shortened. The fields stand beside `aps`, where
 * the apps read them, and numbers stay JSON numbers, because iOS apps read a string as 0. `minimal` leaves the name out.
 */
export function callPayload(message: CallMessage, minimal: boolean): string {
  const uniqueKey = message.uniqueKey.toWellFormed();
  return fitPayload(minimal ? '' : message.callerId, APNS_VOIP_LIMIT, (callerId) =>
    JSON.stringify({
      aps: {},
      type: 'call',
      unique_key: uniqueKey,
      phonenumber: message.phoneNumber.toWellFormed(),
      caller_id: callerId,
      response_api: message.responseApi,
      message_start_time: message.messageStartTime,
      attempt: message.attempt,
      vg_cid: uniqueKey,
    }),
  );
}

/** The JSON of a notice as an ordinary alert: the text is what the phone shows and what the app compares. */
export function alertPayload(text: string): string {
  return JSON.stringify({ aps: { alert: text.toWellFormed() } });
}

/** The JSON of a notice as a VoIP push, for apps that do not take every VoIP push for a call. */
export function voipNoticePayload(text: string): string {
  return JSON.stringify({ aps: {}, type: 'message', message: text.toWellFormed() });
}
