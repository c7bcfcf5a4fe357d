import assert from 'node:assert/strict';
import { javaForm, okHttpForm } from './client-encodings.ts';
import type { PushPayload } from './client-scene.ts';
import { parseDouble, parseInt32, parseInt64, plainDecimal } from './java-numbers.ts';
import type { RawAnswer, RawRequest } from './raw-http.ts';
import type { CallReading, FieldClient } from './replay-client.ts';

/** `Map<String, String>.get`: whatever is in a data message is a string. */
export function dataText(payload: PushPayload, key: string): string | undefined {
  const value = payload[key];
  assert.ok(value === undefined || typeof value === 'string', `${key} is no string`);
  return value;
}

/** Kotlin's `data[key]!!`. */
export function dataOrCrash(payload: PushPayload, key: string): string {
  const value = dataText(payload, key);
  if (value === undefined) throw new Error(`NullPointerException: ${key}`);
  return value;
}

/** Retrofit's `isSuccessful`: any 2xx. */
export function okHttpSuccess({ status }: RawAnswer): void {
  assert.ok(status >= 200 && status < 300, `${status} is a failure for OkHttp`);
}

/** Retrofit 2 resolves a relative path against its base URL, whose path must end in a slash and whose query is lost. */
function retrofitUrl(baseUrl: string, path: string): string {
  if (!new URL(baseUrl).pathname.endsWith('/'))
    throw new Error(`IllegalArgumentException: baseUrl must end in /: ${baseUrl}`);
  return new URL(path, baseUrl).href;
}

const OKHTTP = ['Host: *', 'Connection: Keep-Alive', 'Accept-Encoding: gzip'];
const FORM = ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: *'];

/** What the request line of a POST to this address holds. */
export function targetOf(url: string): string {
  return new URL(url).pathname + new URL(url).search;
}

function headers3(authorization: string | undefined): string[] {
  return [
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    'User-Agent: Vialer/3.0.0 (Android; 6.0.1, LGE hammerhead)',
    'Cache-Control: public, max-age=60',
    ...FORM,
    ...OKHTTP,
  ];
}

/**
 * vialer-android 3.0 to 5.3 (Retrofit 2 on OkHttp 3): a form with Basic authentication. It takes `response_api` for
 * Retrofit's base URL and answers to `api/call-response/` below it.
 */
export const VIALER_ANDROID_3: FieldClient = {
  name: 'vialer-android 3.0 to 5.3',
  platform: 'android',
  appId: 'com.voipgrid.vialer',
  register: (phone) => ({
    line: 'POST /api/android-device/',
    headers: headers3(phone.basic),
    body: okHttpForm({
      name: 'Jan de Vries-Žižek',
      token: phone.pushToken,
      sip_user_id: String(phone.account),
      os_version: 'REL',
      client_version: '6.0.1',
      app: phone.appId,
    }),
  }),
  unregister: (phone) => ({
    line: 'DELETE /api/android-device/',
    headers: headers3(phone.basic),
    body: okHttpForm({ token: phone.pushToken, sip_user_id: String(phone.account), app: phone.appId }),
  }),
  read: (payload) => {
    assert.equal(dataText(payload, 'type'), 'call');
    const startTime = dataText(payload, 'message_start_time') ?? '';
    return {
      uniqueKey: dataText(payload, 'unique_key') ?? '',
      number: dataText(payload, 'phonenumber') ?? '',
      callerName: dataText(payload, 'caller_id') ?? '',
      answerUrl: retrofitUrl(dataText(payload, 'response_api') ?? '', 'api/call-response/'),
      startTime,
      sentAtMs: Math.trunc(parseDouble(startTime) * 1000),
    };
  },
  // Its one HTTP client gathers interceptors: an answer carries the credential of an earlier registration.
  answer: (phone, reading, available) => ({
    line: `POST ${targetOf(reading.answerUrl)}`,
    headers: headers3(phone.basic),
    body: answerForm(reading, available),
  }),
  checkRegistered: okHttpSuccess,
  checkUnregistered: okHttpSuccess,
};

function answerForm(reading: CallReading, available: boolean): string {
  return okHttpForm({
    unique_key: reading.uniqueKey,
    available: String(available),
    message_start_time: String(reading.startTime),
  });
}

/** vialer-android of early 2016: as 3.0, for Google Cloud Messaging and under its own endpoint. */
export const VIALER_ANDROID_GCM: FieldClient = {
  ...VIALER_ANDROID_3,
  name: 'vialer-android of March 2016',
  platform: 'gcm',
  register: (phone) => ({ ...VIALER_ANDROID_3.register(phone), line: 'POST /api/gcm-device/' }),
  unregister: (phone) => ({ ...VIALER_ANDROID_3.unregister(phone), line: 'DELETE /api/gcm-device/' }),
  read: (payload, responseApi) => {
    // `data.getString(PHONE_NUMBER).equalsIgnoreCase(…)`
    dataOrCrash(payload, 'phonenumber');
    return VIALER_ANDROID_3.read(payload, responseApi);
  },
};

const RETROFIT_1 = [
  'User-Agent: Vialer/2.1.0 (Android; 5.1.1, LGE hammerhead)',
  'Content-Type: application/x-www-form-urlencoded; charset=UTF-8',
  'Content-Length: *',
  ...OKHTTP,
];

/**
 * The weeks before, on Retrofit 1: another form encoding, and the answer goes to `response_api` itself. Its own DELETE
 * never left the phone, because Retrofit 1 refuses a form there; that of March stands for it.
 */
export const VIALER_ANDROID_GCM_RETROFIT_1: FieldClient = {
  ...VIALER_ANDROID_GCM,
  name: 'vialer-android of February 2016',
  register: (phone) => ({
    line: 'POST /api/gcm-device/',
    headers: [`Authorization: ${phone.basic}`, ...RETROFIT_1],
    body: javaForm({
      name: 'Jan de Vries-Žižek',
      token: phone.pushToken,
      sip_user_id: String(phone.account),
      os_version: 'REL',
      client_version: '5.1.1',
      app: phone.appId,
    }),
  }),
  read: (payload, responseApi) => ({
    ...VIALER_ANDROID_GCM.read(payload, responseApi),
    // Retrofit 1 takes the slash off the end of the base URL and appends the path, `/`.
    answerUrl: `${dataOrCrash(payload, 'response_api').replace(/\/$/, '')}/`,
  }),
  answer: (_phone, reading, available) => ({
    line: `POST ${targetOf(reading.answerUrl)}`,
    headers: RETROFIT_1,
    body: javaForm({
      unique_key: reading.uniqueKey,
      available: String(available),
      message_start_time: String(reading.startTime),
    }),
  }),
};

/** Headers of vialer-android 6.4.3; it leaves the credential out of URLs that contain `call-response`. */
export function headers6(authorization: string | undefined, contentType: string): string[] {
  return [
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    'User-Agent: Vialer/6.4.3 (Android; 9, Samsung beyond1ltexx)',
    `Content-Type: ${contentType}`,
    'Content-Length: *',
    ...OKHTTP,
  ];
}

const FORM_TYPE = 'application/x-www-form-urlencoded';

/** vialer-android 5.4 to 6.4.3: `Token user:token`, and it answers where it registered. */
export const VIALER_ANDROID_6: FieldClient = {
  ...VIALER_ANDROID_3,
  name: 'vialer-android 5.4 to 6.4.3',
  register: (phone) => registration6(phone, 'a1B2c3D4e5'),
  unregister: (phone) => ({
    line: 'DELETE /api/android-device/',
    headers: headers6(phone.token, FORM_TYPE),
    body: okHttpForm({ token: phone.pushToken, sip_user_id: String(phone.account), app: phone.appId }),
  }),
  read: (payload, responseApi) => {
    const startTime = dataText(payload, 'message_start_time') ?? '';
    assert.equal(parseInt32(dataText(payload, 'attempt') ?? ''), 1);
    return {
      ...VIALER_ANDROID_3.read(payload, responseApi),
      answerUrl: responseApi,
      // Its own arithmetic, right for seven decimals only.
      sentAtMs: Number(parseInt64(plainDecimal(startTime).replaceAll('.', '')) / 10_000n),
    };
  },
  answer: (_phone, reading, available) => ({
    line: 'POST /api/call-response/',
    headers: headers6(undefined, FORM_TYPE),
    body: answerForm(reading, available),
  }),
};

/** A registration of vialer-android 6.4.3; Retrofit leaves a field out that is null. */
export function registration6(
  phone: Parameters<FieldClient['register']>[0],
  remoteLoggingId: string | undefined,
): RawRequest {
  return {
    line: 'POST /api/android-device/',
    headers: headers6(phone.token, FORM_TYPE),
    body: okHttpForm({
      name: 'Jan de Vries-Žižek',
      token: phone.pushToken,
      sip_user_id: String(phone.account),
      os_version: 'REL',
      client_version: '9',
      app: phone.appId,
      remote_logging_id: remoteLoggingId,
    }),
  };
}
