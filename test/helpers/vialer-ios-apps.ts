import assert from 'node:assert/strict';
import { seventeenDigits, slashEscapedJson } from './client-encodings.ts';
import type { ClientPhone, PushPayload } from './client-scene.ts';
import type { RawAnswer, RawRequest } from './raw-http.ts';
import type { CallReading, FieldClient } from './replay-client.ts';
import { asString, forceString, uuidFixer } from './swift-values.ts';

/** Headers of AFNetworking's JSON serializer as vialer-ios sets it up. */
export function headersAf(authorization: string): string[] {
  return [
    'Host: *',
    'Content-Type: application/json',
    'Accept-Encoding: br, gzip, deflate',
    'Connection: keep-alive',
    'Accept: application/json',
    'User-Agent: Vialer/5.6.7 (iPhone; iOS 12.4; Scale/2.00)',
    `Authorization: ${authorization}`,
    'Content-Length: *',
    'Accept-Language: nl-NL;q=1, en-NL;q=0.9',
  ];
}

/** AFNetworking's `AFHTTPResponseSerializer`: any 2xx, whatever is in it. */
function afSuccess({ status }: RawAnswer): void {
  assert.ok(status >= 200 && status < 300, `${status} is a failure for AFNetworking`);
}

/** Where vialer-ios answers: an absolute path, so that only the host of `response_api` counts. */
function afAnswerUrl(payload: PushPayload): string {
  return new URL('/api/call-response/', forceString(payload['response_api'])).href;
}

/** JSON with one number as the phone prints doubles. */
function withNumber(fields: object, key: string, printed: string): string {
  return slashEscapedJson({ ...fields, [key]: 0 }).replace(`"${key}":0`, `"${key}":${printed}`);
}

/** vialer-ios 3.0 to 5.6.7: JSON, DELETE with a body, Basic authentication at first and a token later. */
export function vialerIos3(credential: 'basic' | 'token'): FieldClient {
  return {
    name: `vialer-ios 3.0 to 5.6.7 with ${credential}`,
    platform: 'apns',
    appId: 'com.voipgrid.vialer',
    register: (phone) => registrationAf(phone, phone[credential], {}),
    unregister: (phone) => ({
      line: 'DELETE /api/apns-device/',
      headers: headersAf(phone[credential]),
      body: slashEscapedJson({
        app: phone.appId,
        sip_user_id: String(phone.account),
        token: phone.pushToken,
      }),
    }),
    read: (payload) => {
      assert.equal(payload['type'], 'call');
      // `intValue`, `doubleValue`: of a number, or of a string that starts like one.
      const attempt = Number.parseInt(String(payload['attempt']), 10);
      assert.ok(attempt >= 1 && attempt <= 8, `attempt ${attempt}`);
      const startTime = payload['message_start_time'];
      assert.ok(typeof startTime === 'number');
      return {
        uniqueKey: forceString(payload['unique_key']),
        number: forceString(payload['phonenumber']),
        callerName: forceString(payload['caller_id']),
        answerUrl: afAnswerUrl(payload),
        startTime,
        sentAtMs: startTime * 1000,
      };
    },
    answer: (phone, reading, available) => ({
      line: 'POST /api/call-response/',
      headers: headersAf(phone[credential]),
      body: answerAf(reading, available, {}),
    }),
    checkRegistered: afSuccess,
    checkUnregistered: afSuccess,
  };
}

function answerAf(reading: CallReading, available: boolean, more: object): string {
  return withNumber(
    { available: available ? 'True' : 'False', unique_key: reading.uniqueKey, ...more },
    'message_start_time',
    seventeenDigits(Number(reading.startTime)),
  );
}

/** A registration of vialer-ios; `name` is the name of the device. */
export function registrationAf(
  phone: ClientPhone,
  authorization: string,
  more: Readonly<Record<string, unknown>>,
): RawRequest {
  return {
    line: 'POST /api/apns-device/',
    headers: headersAf(authorization),
    body: slashEscapedJson({
      name: 'iPhone van Žofie / balie 📞',
      client_version: '5.6.7 (1)',
      token: phone.pushToken,
      os_version: 'iOS 12.4',
      app: phone.appId,
      sip_user_id: String(phone.account),
      ...more,
    }),
  };
}

/** vialer-ios 5.8 to 6.0.0: one VoIP push a call, each reported to CallKit; 5.9.3 and later name the account, too. */
export const VIALER_IOS_6: FieldClient = {
  ...vialerIos3('token'),
  name: 'vialer-ios 5.8 to 6.0.0',
  register: (phone) =>
    registrationAf(phone, phone.token, { push_profile: 'once', client_version: '6.0.0 (1)' }),
  read: (payload) => {
    const number = asString(payload['phonenumber']);
    const uniqueKey = forceString(payload['unique_key']);
    // Without these CallKit is told nothing, for which iOS ends the app.
    assert.ok(number !== undefined, 'no phonenumber');
    assert.ok(uuidFixer(uniqueKey) !== undefined, `no UUID: ${uniqueKey}`);
    assert.ok(asString(payload['response_api']) !== undefined, 'no response_api');
    const startTime = payload['message_start_time'];
    assert.ok(typeof startTime === 'number');
    const callerName = asString(payload['caller_id']) ?? number;
    return { uniqueKey, number, callerName, answerUrl: afAnswerUrl(payload), startTime };
  },
  answer: (phone, reading, available) => ({
    line: 'POST /api/call-response/',
    headers: headersAf(phone.token),
    body: answerAf(reading, available, { sip_user_id: String(phone.account) }),
  }),
};
