import assert from 'node:assert/strict';
import { dataOrCrash, dataText, okHttpSuccess, targetOf } from './android-apps.ts';
import { okHttpForm, slashEscapedJson } from './client-encodings.ts';
import type { ClientPhone } from './client-scene.ts';
import { plainDecimal } from './java-numbers.ts';
import type { RawAnswer, RawRequest } from './raw-http.ts';
import type { FieldClient } from './replay-client.ts';
import { asString, forceString } from './swift-values.ts';

/**
 * Alamofire's `responseData`: an empty body is an error, except with 204 and 205. It does not look at the status, but
 * the app's log does.
 */
function alamofireData({ status, body }: RawAnswer): void {
  assert.ok(body.length > 0 || status === 204 || status === 205, 'inputDataNilOrZeroLength');
  assert.ok(status >= 200 && status < 300);
}

function headersFlutter(authorization: string): string[] {
  return [
    'Host: *',
    'Content-Type: application/json',
    'Accept-Encoding: br;q=1.0, gzip;q=0.9, deflate;q=0.8',
    'Connection: keep-alive',
    'Accept: */*',
    'User-Agent: Vialer/7.20.0 (com.voipgrid.vialer; build:1; iOS 17.4.0) Alamofire/5.8.1',
    `Authorization: ${authorization}`,
    'Content-Length: *',
    'Accept-Language: nl-NL;q=1.0, en-NL;q=0.9',
  ];
}

/** The Flutter app on iOS. `more`: how its versions wrote `sandbox`, `dnd` and the rest. */
export function flutterIos(version: string, more: Readonly<Record<string, unknown>>): FieldClient {
  return {
    name: `Flutter iOS ${version}`,
    platform: 'apns',
    appId: 'com.voipgrid.vialer',
    register: (phone) => ({
      line: 'POST /api/apns-device/',
      headers: headersFlutter(phone.token),
      body: slashEscapedJson({
        push_profile: 'once',
        sip_user_id: String(phone.account),
        app: phone.appId,
        name: phone.user,
        os_version: '17.4',
        token: phone.pushToken,
        client_version: '7.20.0',
        ...more,
      }),
    }),
    unregister: (phone) => dartDelete(phone, 'apns-device'),
    read: (payload) => {
      const startTime = payload['message_start_time'];
      // `as? Double ?? 0`: a string would read as 1970.
      const sentAtMs = Math.trunc(typeof startTime === 'number' ? startTime : 0) * 1000;
      assert.ok(asString(payload['vg_cid']), 'no vg_cid');
      assert.ok(typeof startTime === 'number');
      return {
        uniqueKey: asString(payload['unique_key']) ?? '',
        number: asString(payload['phonenumber']) ?? '',
        callerName: asString(payload['caller_id']) ?? '',
        answerUrl: forceString(payload['response_api']),
        startTime,
        sentAtMs,
      };
    },
    answer: (phone, reading, available) => ({
      line: `POST ${targetOf(reading.answerUrl)}`,
      headers: headersFlutter(phone.token),
      body: slashEscapedJson({
        available: String(available),
        sip_user_id: String(phone.account),
        message_start_time: reading.startTime,
        unique_key: reading.uniqueKey,
      }),
    }),
    checkRegistered: alamofireData,
    checkUnregistered: dartString,
  };
}

/** The Dart service of the Flutter app logs out; since March 2024 without a slash at the end. */
export function dartDelete(
  phone: ClientPhone,
  endpoint: 'apns-device' | 'android-device' | 'apns-device/' | 'android-device/',
): RawRequest {
  return {
    line: `DELETE /api/${endpoint}`,
    headers: [
      'user-agent: Dart/3.3 (dart:io)',
      'content-type: application/json; charset=utf-8',
      'x-client-type: mobile',
      'x-client-product: vialer',
      'accept-encoding: gzip',
      'content-length: *',
      `authorization: ${phone.token}`,
      'host: *',
    ],
    body: JSON.stringify({ token: phone.pushToken, sip_user_id: String(phone.account), app: phone.appId }),
  };
}

/** Chopper's `Response<String>` with the app's converter: an empty body becomes a Map, and JSON must be a string. */
export function dartString({ body }: RawAnswer): void {
  const decoded: unknown = body === '' ? {} : JSON.parse(body);
  assert.ok(typeof decoded === 'string', "type 'Map' is not a subtype of type 'String'");
}

function headersOkHttp(authorization: string, type: string): string[] {
  return [
    `Authorization: ${authorization}`,
    `Content-Type: ${type}`,
    'Content-Length: *',
    'Host: *',
    'Connection: Keep-Alive',
    'Accept-Encoding: gzip',
    'User-Agent: okhttp/4.9.1',
  ];
}

const FORM_TYPE = 'application/x-www-form-urlencoded';

/** The Flutter app on Android as of 2024: registers with JSON, answers with a form, logs out from Dart. */
export const FLUTTER_ANDROID: FieldClient = {
  name: 'Flutter Android of 2024',
  platform: 'android',
  appId: 'com.voipgrid.vialer',
  register: (phone) => ({
    line: 'POST /api/android-device/',
    headers: headersOkHttp(phone.token, 'application/json; charset=utf-8'),
    body: slashEscapedJson({
      name: phone.user,
      token: phone.pushToken,
      sip_user_id: String(phone.account),
      os_version: '14',
      client_version: '7.20.0',
      app: phone.appId,
      dnd: false,
      app_startup_timestamp: '2024-03-20T08:15:30.123456',
    }),
  }),
  unregister: (phone) => dartDelete(phone, 'android-device'),
  read: (payload) => {
    assert.ok(
      !dataText(payload, 'message')?.startsWith('An other device has registered for the same account'),
    );
    assert.equal(dataText(payload, 'type'), 'call');
    const uniqueKey = dataOrCrash(payload, 'unique_key');
    dataOrCrash(payload, 'vg_cid');
    const startTime = dataOrCrash(payload, 'message_start_time');
    return {
      uniqueKey,
      number: dataText(payload, 'phonenumber') ?? '',
      callerName: dataText(payload, 'caller_id') ?? '',
      answerUrl: dataOrCrash(payload, 'response_api'),
      startTime,
      // `BigDecimal(…).toLong()`, in seconds.
      sentAtMs: Number.parseInt(plainDecimal(startTime), 10) * 1000,
    };
  },
  answer: (phone, reading, available) => ({
    line: `POST ${targetOf(reading.answerUrl)}`,
    headers: headersOkHttp(phone.token, FORM_TYPE),
    body: okHttpForm({
      unique_key: reading.uniqueKey,
      available: String(available),
      message_start_time: String(reading.startTime),
      sip_user_id: String(phone.account),
    }),
  }),
  checkRegistered: okHttpSuccess,
  checkUnregistered: dartString,
};

/** The Flutter app on Android from 2021 to 2023: registers with a form; Dart logs out with a slash at the end. */
export const FLUTTER_ANDROID_FORM: FieldClient = {
  ...FLUTTER_ANDROID,
  name: 'Flutter Android of 2021 to 2023',
  register: (phone) => ({
    line: 'POST /api/android-device/',
    headers: headersOkHttp(phone.token, FORM_TYPE),
    body: okHttpForm({
      name: phone.user,
      token: phone.pushToken,
      sip_user_id: String(phone.account),
      os_version: '12',
      client_version: '7.8.1',
      app: phone.appId,
      dnd: 'false',
    }),
  }),
  unregister: (phone) => dartDelete(phone, 'android-device/'),
};
