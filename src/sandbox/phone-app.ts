/** Which app the simulated phone runs: the current Flutter app on either system. */
export type PhoneKind = 'ios' | 'android';

/** What the app makes of a push. */
export type PushReading =
  /** Not for the app's call handling. */
  | { readonly kind: 'ignored'; readonly why: 'not-a-call' }
  /** The app dies, or the system kills it; `field` is the key of the push that is missing or of the wrong type. */
  | { readonly kind: 'crashed'; readonly field: string }
  | {
      readonly kind: 'call';
      readonly uniqueKey: string;
      readonly responseApi: string;
      /** As it will be echoed: text on Android, a number on iOS. */
      readonly messageStartTime: string | number;
    };

/** A request of the app, without what belongs to the connection. */
interface AppRequest {
  readonly contentType: string;
  readonly body: string;
}

/** One system's app: how it reads a push, and how it writes its requests. */
export interface PhoneApp {
  read(payload: Readonly<Record<string, unknown>>): PushReading;
  /** `available`: whether the user can take the call. */
  answer(call: Extract<PushReading, { kind: 'call' }>, account: number, available: boolean): AppRequest;
  /** The body of a registration; `details` are its fields beyond the account, token and app. */
  register(details: PhoneIdentity): AppRequest;
  readonly devicePath: string;
}

/** What a phone tells of itself when it registers. */
interface PhoneIdentity {
  readonly account: number;
  readonly token: string;
  readonly app: string;
  readonly name: string;
  /** iOS: Apple's sandbox environment. */
  readonly sandbox: boolean;
  /** iOS: token for ordinary alert pushes, empty where there is none. */
  readonly remoteNotificationToken: string;
}

const UUID_OR_HEX = /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i;

function crashed(field: string): PushReading {
  return { kind: 'crashed', field };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function readOnAndroid(data: Readonly<Record<string, unknown>>): PushReading {
  if (data['type'] !== 'call') return { kind: 'ignored', why: 'not-a-call' };
  const uniqueKey = text(data['unique_key']);
  if (uniqueKey === undefined) return crashed('unique_key');
  if (text(data['vg_cid']) === undefined) return crashed('vg_cid');
  const messageStartTime = text(data['message_start_time']);
  // Kotlin's BigDecimal(String): throws for anything but a decimal number.
  if (messageStartTime === undefined || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(messageStartTime)) {
    return crashed('message_start_time');
  }
  const responseApi = text(data['response_api']);
  if (responseApi === undefined) return crashed('response_api');
  return { kind: 'call', uniqueKey, responseApi, messageStartTime };
}

function readOnIos(payload: Readonly<Record<string, unknown>>): PushReading {
  // iOS kills an app that does not report every VoIP push to CallKit, for which it needs these two.
  if (text(payload['phonenumber']) === undefined) return crashed('phonenumber');
  const uniqueKey = text(payload['unique_key']);
  if (uniqueKey === undefined || !UUID_OR_HEX.test(uniqueKey)) return crashed('unique_key');
  const responseApi = text(payload['response_api']);
  if (responseApi === undefined) return crashed('response_api');
  const start = payload['message_start_time'];
  // Swift's `as? Double ?? 0`: a JSON string reads as 0.
  return { kind: 'call', uniqueKey, responseApi, messageStartTime: typeof start === 'number' ? start : 0 };
}

function jsonRequest(contentType: string, fields: Readonly<Record<string, unknown>>): AppRequest {
  return {
    contentType,
    body: JSON.stringify(fields),
  };
}

const ANDROID: PhoneApp = {
  devicePath: '/api/android-device/',
  read: readOnAndroid,
  answer: (call, account, available) => ({
    contentType: 'application/x-www-form-urlencoded',
    body: new URLSearchParams({
      unique_key: call.uniqueKey,
      available: String(available),
      message_start_time: String(call.messageStartTime),
      sip_user_id: String(account),
    }).toString(),
  }),
  register: ({ account, token, app, name }) =>
    jsonRequest('application/json; charset=utf-8', {
      name,
      token,
      sip_user_id: String(account),
      os_version: '14',
      client_version: '7.20.0',
      app,
      dnd: false,
      app_startup_timestamp: new Date().toISOString(),
    }),
};

const IOS: PhoneApp = {
  devicePath: '/api/apns-device/',
  read: readOnIos,
  answer: (call, account, available) =>
    jsonRequest('application/json', {
      unique_key: call.uniqueKey,
      available: String(available),
      message_start_time: call.messageStartTime,
      sip_user_id: String(account),
    }),
  register: ({ account, token, app, name, sandbox, remoteNotificationToken }) =>
    jsonRequest('application/json', {
      name,
      token,
      sip_user_id: String(account),
      os_version: '17.4',
      client_version: '7.20.0 (1)',
      app,
      app_startup_timestamp: new Date().toISOString(),
      dnd: false,
      sandbox,
      push_profile: 'once',
      remote_notification_token: remoteNotificationToken,
    }),
};

/** The app of a system. */
export function phoneApp(kind: PhoneKind): PhoneApp {
  return kind === 'ios' ? IOS : ANDROID;
}
