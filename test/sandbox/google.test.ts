import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type GoogleFixture, PROJECT_ID, startGoogleFixture } from './google-fixture.ts';
import { until } from './raw-http2.ts';

const TOKEN = 'phone:APA91b';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';

function message(more: object = {}) {
  return {
    message: { token: TOKEN, data: { type: 'call' }, android: { priority: 'HIGH', ttl: '0s' }, ...more },
  };
}

describe("Google's stand-in", () => {
  let fixture: GoogleFixture;
  let authorization: string;
  before(async () => {
    fixture = await startGoogleFixture();
    authorization = `Bearer ${await fixture.accessToken()}`;
  });
  afterEach(() => fixture.google.clearFaults());
  after(() => fixture.close());

  it('accepts a data message, names it and hands its data to who listens for the token', async () => {
    const pushes: unknown[] = [];
    const stop = fixture.google.onPush(TOKEN, ({ payload }) => pushes.push(payload));
    const ending = await fixture.send(authorization, message());
    stop();
    assert.equal(ending.status, 200);
    assert.match(JSON.parse(ending.body).name, new RegExp(`^projects/${PROJECT_ID}/messages/.`));
    assert.deepEqual(pushes, [{ type: 'call' }]);
    assert.equal(fixture.google.requests.list().at(-1)?.ending, 'accepted');
  });

  const data = (value: unknown): object => message({ data: value });
  const android = (value: unknown): object => message({ android: value });
  const bad: readonly [string, unknown][] = [
    ['a body that is not JSON', '{'],
    ['no message', {}],
    ['an unknown field of the request', { ...message(), extra: 1 }],
    ['an unknown field of the message', message({ to: TOKEN })],
    ['no target', { message: { data: {} } }],
    ['two targets', message({ topic: 'all' })],
    ['a token that is no text', message({ token: 7 })],
    ['data that is no map', data([])],
    ['a number in data', data({ attempt: 1 })],
    ['null in data', data({ attempt: null })],
    ['the reserved key from', data({ from: 'x' })],
    ['a reserved key of GCM', data({ 'gcm.n': 'x' })],
    ['a reserved key of Google', data({ 'google.x': 'x' })],
    ['4097 bytes of data', data({ x: 'x'.repeat(4096) })],
    ['an unknown priority', android({ priority: 'urgent' })],
    ['a ttl that is a number', android({ ttl: 0 })],
    ['a ttl without a unit', android({ ttl: '0' })],
    ['a ttl over four weeks', android({ ttl: '2419201s' })],
    ['an unknown field of android', android({ urgency: 'HIGH' })],
  ];
  for (const [what, body] of bad) {
    it(`refuses ${what} as INVALID_ARGUMENT with a BadRequest`, async () => {
      const before = fixture.google.received.count();
      const ending = await fixture.send(authorization, body);
      const { error } = JSON.parse(ending.body);
      assert.deepEqual(
        [ending.status, error.code, error.status, error.details[0]['@type']],
        [400, 400, 'INVALID_ARGUMENT', BAD_REQUEST],
      );
      assert.equal(fixture.google.received.count(), before);
    });
  }

  it('takes 4096 bytes of data and a fractional ttl', async () => {
    const ending = await fixture.send(
      authorization,
      message({ data: { x: 'x'.repeat(4095) }, android: { ttl: '3.5s', priority: 'NORMAL' } }),
    );
    assert.equal(ending.status, 200);
  });

  it('tells a token that is none and one that is dead by their FCM error codes', async () => {
    const none = JSON.parse((await fixture.send(authorization, message({ token: 'a b' }))).body).error;
    assert.deepEqual(
      [none.code, none.details],
      [400, [{ '@type': FCM_ERROR, errorCode: 'INVALID_ARGUMENT' }]],
    );
    fixture.google.unregisterDevice('dead');
    const dead = JSON.parse((await fixture.send(authorization, message({ token: 'dead' }))).body).error;
    assert.deepEqual(
      [dead.code, dead.status, dead.details],
      [404, 'NOT_FOUND', [{ '@type': FCM_ERROR, errorCode: 'UNREGISTERED' }]],
    );
  });

  it('refuses unknown access tokens with 401, other projects with 403, other paths with 404', async () => {
    const status = async (authorized: string, path?: string): Promise<unknown> => {
      const ending = await fixture.send(authorized, message(), path);
      return [ending.status, JSON.parse(ending.body).error.status];
    };
    assert.deepEqual(await status('Bearer ya29.unknown'), [401, 'UNAUTHENTICATED']);
    assert.deepEqual(await status('key=legacy'), [401, 'UNAUTHENTICATED']);
    assert.deepEqual(await status(authorization, '/v1/projects/other/messages:send'), [
      403,
      'PERMISSION_DENIED',
    ]);
    assert.deepEqual(await status(authorization, '/fcm/send'), [404, 'NOT_FOUND']);
  });

  it('plays faults for one push token, in the words of Google', async () => {
    fixture.google.script(
      { kind: 'answer', status: 429, reason: 'QUOTA_EXCEEDED', retryAfter: '60' },
      { token: TOKEN, times: 1 },
    );
    const other = await fixture.send(authorization, message({ token: 'other' }));
    const ending = await fixture.send(authorization, message());
    const { error } = JSON.parse(ending.body);
    assert.equal(other.status, 200);
    assert.deepEqual([ending.status, ending.headers['retry-after']], [429, '60']);
    assert.deepEqual(
      [error.status, error.details],
      ['RESOURCE_EXHAUSTED', [{ '@type': FCM_ERROR, errorCode: 'QUOTA_EXCEEDED' }]],
    );
    const bad = { kind: 'answer', status: 400, reason: 'x', detail: 'bad-request' } as const;
    fixture.google.script(bad, { times: 1 });
    const { details } = JSON.parse((await fixture.send(authorization, message())).body).error;
    assert.equal(details[0]['@type'], BAD_REQUEST);
    fixture.google.script({ ...bad, status: 503, detail: 'none' }, { times: 1 });
    assert.equal(JSON.parse((await fixture.send(authorization, message())).body).error.details, undefined);
    assert.equal((await fixture.send(authorization, message())).status, 200);
  });
});

describe("Google's stand-in, gone", () => {
  const openWith = async (fixture: GoogleFixture): Promise<string> => `Bearer ${await fixture.accessToken()}`;

  it('breaks the connection as scripted', async (t) => {
    const fixture = await startGoogleFixture();
    t.after(() => fixture.close());
    const authorization = await openWith(fixture);
    fixture.google.script({ kind: 'disconnect' });
    assert.equal((await fixture.send(authorization, message())).status, 0);
    await until(() => fixture.session.destroyed, 'the end of the session');
  });

  it('goes mute as told and ends what waits when it is closed', async () => {
    const fixture = await startGoogleFixture();
    const authorization = await openWith(fixture);
    fixture.google.silence('healthy');
    const waiting = fixture.send(authorization, message());
    const quiet = new Promise((resolve) => setTimeout(resolve, 100, 'quiet'));
    assert.equal(await Promise.race([waiting, quiet]), 'quiet');
    await fixture.google.close();
    assert.equal((await waiting).status, 0);
    fixture.session.destroy();
  });
});
