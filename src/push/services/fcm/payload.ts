import { fitPayload } from '../../fit-text.ts';
import type { CallMessage } from '../../push-message.ts';

/** Bytes of a message's data (Google: "About FCM messages"); held for its JSON, which is larger than what counts. */
export const FCM_DATA_LIMIT = 4096;

/**
 * The `messages:send` body of a call push: data only, so that the app itself is woken, and all values strings. Old
 * Android apps parse `attempt` as an integer and need exactly 7 decimals in `message_start_time`. HIGH and a ttl of 0:
 * now or never.
 */
export function callPayload(token: string, message: CallMessage, minimal: boolean): string {
  const uniqueKey = message.uniqueKey.toWellFormed();
  const data = fitPayload(minimal ? '' : message.callerId, FCM_DATA_LIMIT, (callerId) =>
    JSON.stringify({
      type: 'call',
      unique_key: uniqueKey,
      phonenumber: message.phoneNumber.toWellFormed(),
      caller_id: callerId,
      response_api: message.responseApi,
      message_start_time: message.messageStartTime.toFixed(7),
      attempt: String(message.attempt),
      vg_cid: uniqueKey,
    }),
  );
  return wrap(token, data, '"priority":"HIGH","ttl":"0s"');
}

/**
 * The body of a notice: NORMAL, because Google demotes apps whose urgent messages show nothing, and gone after an
 * hour, because a late one would switch calls off on a phone that has registered again.
 */
export function noticePayload(token: string, text: string): string {
  const data = JSON.stringify({ type: 'message', message: text.toWellFormed() });
  return wrap(token, data, '"priority":"NORMAL","ttl":"3600s"');
}

function wrap(token: string, data: string, android: string): string {
  return `{"message":{"token":${JSON.stringify(token.toWellFormed())},"data":${data},"android":{${android}}}}`;
}
