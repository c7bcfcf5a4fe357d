import {
  registration6,
  VIALER_ANDROID_3,
  VIALER_ANDROID_6,
  VIALER_ANDROID_GCM,
} from '../helpers/android-apps.ts';
import { pushTokenOf } from '../helpers/client-scene.ts';
import { FLUTTER_ANDROID, flutterIos } from '../helpers/flutter-apps.ts';
import { IOS_PIL } from '../helpers/phone-library-apps.ts';
import type { FieldClient } from '../helpers/replay-client.ts';
import { registrationAf, VIALER_IOS_6, vialerIos3 } from '../helpers/vialer-ios-apps.ts';

/** A Flutter iPhone's token for ordinary alerts. */
export const ALERT_TOKEN = '90f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad3';

const VIALER_IOS_3 = vialerIos3('token');
/** The Flutter app on an iPhone with this token for alerts; blank for none. */
export function flutterWith(token: string, more: object = {}) {
  return flutterIos('of 2024', { sandbox: false, remote_notification_token: token, ...more });
}
/** vialer-android with this logging id. */
export function loggingAs(id: string | undefined): FieldClient {
  return {
    ...VIALER_ANDROID_6,
    register: (phone) => registration6(phone, id),
  };
}
function namedAs(name: string): FieldClient {
  return {
    ...VIALER_IOS_3,
    register: (phone) => registrationAf(phone, phone.token, { name }),
  };
}

/** The apps that the phones run. */
export const APPS = [VIALER_IOS_3, VIALER_ANDROID_6, VIALER_ANDROID_GCM, IOS_PIL];

/** One phone after another for the same account. */
export interface Takeover {
  readonly name: string;
  readonly old: FieldClient;
  readonly next: FieldClient;
  /** What reaches the old phone: nothing, or this payload at its push token, or at its token for alerts. */
  readonly told: 'nothing' | 'data' | 'voip' | 'alert';
}

/** Where the old phone is told. */
export const NOTICES: readonly Takeover[] = [
  {
    name: 'vialer-android 6, by a phone with another logging id',
    old: loggingAs('one'),
    next: loggingAs('two'),
    told: 'data',
  },
  { name: 'vialer-android 3, by an iPhone', old: VIALER_ANDROID_3, next: VIALER_IOS_6, told: 'data' },
  {
    name: 'vialer-android on GCM, by a newer Android phone',
    old: VIALER_ANDROID_GCM,
    next: FLUTTER_ANDROID,
    told: 'data',
  },
  { name: 'Flutter Android, by an iPhone', old: FLUTTER_ANDROID, next: flutterWith(''), told: 'data' },
  {
    name: 'vialer-ios 5.6.7, by an iPhone with another name',
    old: namedAs('balie'),
    next: namedAs('kantoor'),
    told: 'voip',
  },
  { name: 'vialer-ios 5.6.7, by an Android phone', old: VIALER_IOS_3, next: VIALER_ANDROID_6, told: 'voip' },
  {
    name: 'Flutter iOS, by another iPhone',
    old: flutterWith(ALERT_TOKEN),
    next: flutterWith(pushTokenOf('apns')),
    told: 'alert',
  },
  {
    name: 'Flutter iOS, by an Android phone',
    old: flutterWith(ALERT_TOKEN),
    next: FLUTTER_ANDROID,
    told: 'alert',
  },
];

/** Where a notice would do harm: it would show a call that is none, or switch off the phone that has just registered. */
export const SILENT: readonly Takeover[] = [
  {
    name: 'vialer-ios 5.8, which takes every VoIP push for a call',
    old: VIALER_IOS_6,
    next: VIALER_ANDROID_6,
    told: 'nothing',
  },
  { name: 'the iOS phone library, which does too', old: IOS_PIL, next: VIALER_ANDROID_6, told: 'nothing' },
  {
    name: 'Flutter iOS without a token for alerts',
    old: flutterWith(''),
    next: FLUTTER_ANDROID,
    told: 'nothing',
  },
  {
    name: 'a fresh token of vialer-android 6',
    old: loggingAs('one'),
    next: loggingAs('one'),
    told: 'nothing',
  },
  {
    name: 'a fresh token of vialer-android 6 that stopped logging',
    old: loggingAs('one'),
    next: loggingAs(undefined),
    told: 'nothing',
  },
  {
    name: 'a fresh token of vialer-android 3',
    old: VIALER_ANDROID_3,
    next: VIALER_ANDROID_3,
    told: 'nothing',
  },
  { name: 'a fresh token of Flutter Android', old: FLUTTER_ANDROID, next: FLUTTER_ANDROID, told: 'nothing' },
  { name: 'a fresh token of vialer-ios 5.6.7', old: VIALER_IOS_3, next: VIALER_IOS_3, told: 'nothing' },
  {
    name: 'a fresh VoIP token of Flutter iOS',
    old: flutterWith(ALERT_TOKEN),
    next: flutterWith(ALERT_TOKEN),
    told: 'nothing',
  },
];
