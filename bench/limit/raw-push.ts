import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';

/** Where the push services are. */
export interface PushOrigins {
  readonly apple: string;
  readonly google: string;
  /** PEM of the authority that signed their certificates. */
  readonly ca: string;
}

/** What a call's push says. */
export interface RawCall {
  readonly account: string;
  readonly uniqueKey: string;
  readonly phoneNumber: unknown;
  readonly callerId: unknown;
  readonly responseApi: string;
}

/** Pushes a call over a kept connection: the push that is the limit. Accounts with an even number have an iPhone. */
export type RawPush = (call: RawCall) => ClientHttp2Stream;

/** As many characters as the service's own header has. */
const AUTHORIZATION = `bearer ${'x'.repeat(180)}`;
const GOOGLE_TOKEN = 'x'.repeat(160);

/** Connects to both push services with `node:http2` and nothing around it. */
export function connectRaw({ apple, google, ca }: PushOrigins): RawPush {
  const sessions = { apple: connect(apple, { ca }), google: connect(google, { ca }) };
  return (call) => {
    const isApple = Number(call.account) % 2 === 0;
    const stream = isApple ? toApple(sessions.apple, call) : toGoogle(sessions.google);
    stream.resume();
    stream.end(bodyOf(call, isApple));
    return stream;
  };
}

function bodyOf(call: RawCall, isApple: boolean): string {
  const seconds = Date.now() / 1000;
  const data = {
    type: 'call',
    unique_key: call.uniqueKey,
    phonenumber: call.phoneNumber,
    caller_id: call.callerId,
    response_api: call.responseApi,
    message_start_time: isApple ? seconds : seconds.toFixed(7),
    attempt: isApple ? 1 : '1',
    vg_cid: call.uniqueKey,
  };
  return JSON.stringify(isApple ? { aps: {}, ...data } : { message: { token: GOOGLE_TOKEN, data } });
}

function toApple(session: ClientHttp2Session, { account, uniqueKey }: RawCall): ClientHttp2Stream {
  return session.request({
    ':method': 'POST',
    ':path': `/3/device/${account.padStart(64, '0')}`,
    'apns-topic': 'com.example.phone.voip',
    'apns-push-type': 'voip',
    'apns-priority': '10',
    'apns-expiration': '0',
    'apns-id': uniqueKey,
    authorization: AUTHORIZATION,
  });
}

function toGoogle(session: ClientHttp2Session): ClientHttp2Stream {
  return session.request({
    ':method': 'POST',
    ':path': '/v1/projects/sandbox-project/messages:send',
    authorization: AUTHORIZATION,
    'content-type': 'application/json',
  });
}
