import assert from 'node:assert/strict';
import { dataOrCrash, dataText, okHttpSuccess } from './android-apps.ts';
import { alamofireForm, okHttpForm } from './client-encodings.ts';
import type { FieldClient } from './replay-client.ts';
import { asString, forceString } from './swift-values.ts';

function headersPil(authorization: string, type: string | undefined): string[] {
  return [
    'Host: *',
    ...(type === undefined ? [] : [`Content-Type: ${type}`, 'Content-Length: *']),
    'Accept-Encoding: br;q=1.0, gzip;q=0.9, deflate;q=0.8',
    'Connection: keep-alive',
    'Accept: */*',
    'User-Agent: PhoneLibExample/1.0 (com.voipgrid.PhoneLibExample; build:1; iOS 14.4.0) Alamofire/5.4.1',
    `Authorization: ${authorization}`,
    'Accept-Language: en;q=1.0, nl-NL;q=0.9',
  ];
}

const PIL_FORM = 'application/x-www-form-urlencoded; charset=utf-8';

/** The example app of the iOS phone library: forms, and a DELETE whose fields are in the query string. */
export const IOS_PIL: FieldClient = {
  name: 'iOS phone library',
  platform: 'apns',
  appId: 'com.voipgrid.PhoneLibExample',
  register: (phone) => ({
    line: 'POST /api/apns-device/',
    headers: headersPil(phone.token, PIL_FORM),
    body: alamofireForm({
      name: phone.user,
      token: phone.pushToken,
      sip_user_id: String(phone.account),
      app: phone.appId,
      push_profile: 'once',
      sandbox: 'true',
    }),
  }),
  unregister: (phone) => ({
    line: `DELETE /api/apns-device/?${alamofireForm({
      token: phone.pushToken,
      sip_user_id: String(phone.account),
      app: phone.appId,
    })}`,
    headers: headersPil(phone.token, undefined),
    body: '',
  }),
  read: (payload, responseApi) => {
    const startTime = payload['message_start_time'];
    assert.ok(typeof startTime === 'number', '`!` of a missing value');
    return {
      uniqueKey: forceString(payload['unique_key']),
      number: asString(payload['phonenumber']) ?? '',
      callerName: asString(payload['caller_id']) ?? '',
      answerUrl: responseApi,
      startTime,
    };
  },
  answer: (phone, reading, available) => ({
    line: 'POST /api/call-response/',
    headers: headersPil(phone.token, PIL_FORM),
    body: alamofireForm({
      unique_key: reading.uniqueKey,
      available: available ? 'true' : 'false',
      sip_user_id: String(phone.account),
      // `String(describing:)` of an NSNumber.
      message_start_time: String(reading.startTime),
    }),
  }),
  checkRegistered: okHttpSuccess,
  checkUnregistered: okHttpSuccess,
};

function headersAndroidPil(authorization: string): string[] {
  return [
    `Authorization: ${authorization}`,
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Length: *',
    'Host: *',
    'Connection: Keep-Alive',
    'Accept-Encoding: gzip',
    'User-Agent: okhttp/4.9.1',
  ];
}

/** The example app of the Android phone library: forms throughout. */
export const ANDROID_PIL: FieldClient = {
  name: 'Android phone library',
  platform: 'android',
  appId: 'org.openvoipalliance.phonelibexample',
  register: (phone) => ({
    line: 'POST /api/android-device/',
    headers: headersAndroidPil(phone.token),
    body: okHttpForm({
      name: phone.user,
      token: phone.pushToken,
      sip_user_id: String(phone.account),
      os_version: 'REL',
      client_version: '11',
      app: phone.appId,
    }),
  }),
  unregister: (phone) => ({
    line: 'DELETE /api/android-device/',
    headers: headersAndroidPil(phone.token),
    body: okHttpForm({ token: phone.pushToken, sip_user_id: String(phone.account), app: phone.appId }),
  }),
  read: (payload, responseApi) => ({
    uniqueKey: dataOrCrash(payload, 'unique_key'),
    number: dataText(payload, 'phonenumber') ?? '',
    callerName: dataText(payload, 'caller_id') ?? '',
    answerUrl: responseApi,
    startTime: dataOrCrash(payload, 'message_start_time'),
  }),
  answer: (phone, reading, available) => ({
    line: 'POST /api/call-response/',
    headers: headersAndroidPil(phone.token),
    body: okHttpForm({
      unique_key: reading.uniqueKey,
      available: String(available),
      message_start_time: String(reading.startTime),
      sip_user_id: String(phone.account),
    }),
  }),
  checkRegistered: okHttpSuccess,
  checkUnregistered: okHttpSuccess,
};
