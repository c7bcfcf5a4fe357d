import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type AppleFixture, BUNDLE_ID, KEY_ID, startAppleFixture, TOKEN } from './apple-fixture.ts';
import { ask, until } from './raw-http2.ts';

const PAYLOAD = JSON.stringify({ aps: {}, unique_key: 'k' });

function reasonOf({ body }: { readonly body: string }): unknown {
  return JSON.parse(body).reason;
}

describe("Apple's stand-in", () => {
  let fixture: AppleFixture;
  let authorization: string;
  before(async () => {
    fixture = await startAppleFixture();
    authorization = await fixture.jwt();
  });
  after(() => fixture.close());

  it('accepts a VoIP push, answers with its apns-id and hands it to who listens for the token', async () => {
    const pushes: unknown[] = [];
    const stop = fixture.apple.onPush(TOKEN, ({ payload }) => pushes.push(payload));
    const headers = fixture.headers(authorization);
    const session = fixture.connect();
    const ending = await ask(session, headers, PAYLOAD);
    stop();
    await ask(session, headers, PAYLOAD);
    assert.deepEqual([ending.status, ending.body, ending.headers['apns-id']], [200, '', headers['apns-id']]);
    assert.deepEqual(pushes, [{ aps: {}, unique_key: 'k' }]);
    assert.equal(fixture.apple.received.count(), 2);
    assert.equal(fixture.apple.requests.list().at(-1)?.ending, 'accepted');
  });

  it('makes an apns-id where the sender gave none', async () => {
    const { 'apns-id': _none, ...headers } = fixture.headers(authorization);
    const ending = await ask(fixture.connect(), headers, PAYLOAD);
    assert.equal(ending.status, 200);
    assert.match(String(ending.headers['apns-id']), /^[0-9A-F-]{36}$/);
  });

  const changes: readonly [string, Record<string, string | string[]>, number, string][] = [
    ['another method', { ':method': 'PUT' }, 405, 'MethodNotAllowed'],
    ['another path', { ':path': '/4/device/ab' }, 404, 'BadPath'],
    ['a longer path', { ':path': `/3/device/${TOKEN}/x` }, 404, 'BadPath'],
    ['no token', { ':path': '/3/device/' }, 400, 'MissingDeviceToken'],
    ['a token that is not hex', { ':path': `/3/device/${'xy'.repeat(32)}` }, 400, 'BadDeviceToken'],
    ['a token of odd length', { ':path': `/3/device/${TOKEN}a` }, 400, 'BadDeviceToken'],
    ['a token that is too short', { ':path': '/3/device/abcd' }, 400, 'BadDeviceToken'],
    ['a token that is too long', { ':path': `/3/device/${'ab'.repeat(101)}` }, 400, 'BadDeviceToken'],
    ['an empty topic', { 'apns-topic': '' }, 400, 'MissingTopic'],
    ['a topic that is none', { 'apns-topic': 'no topic' }, 400, 'BadTopic'],
    ['an unknown push type', { 'apns-push-type': 'call' }, 400, 'InvalidPushType'],
    ['no push type', { 'apns-push-type': '' }, 400, 'InvalidPushType'],
    ['a voip push on the plain topic', { 'apns-topic': BUNDLE_ID }, 400, 'InvalidPushType'],
    ['an alert on the voip topic', { 'apns-push-type': 'alert' }, 400, 'InvalidPushType'],
    ['an unknown priority', { 'apns-priority': '7' }, 400, 'BadPriority'],
    ['an expiration that is no integer', { 'apns-expiration': '1.5' }, 400, 'BadExpirationDate'],
    ['an apns-id that is no UUID', { 'apns-id': '1234' }, 400, 'BadMessageId'],
    ['a collapse id of 65 bytes', { 'apns-collapse-id': 'x'.repeat(65) }, 400, 'BadCollapseId'],
    ['a header twice', { 'apns-collapse-id': ['a', 'b'] }, 400, 'DuplicateHeaders'],
  ];
  for (const [what, change, status, reason] of changes) {
    it(`refuses ${what}: ${reason}`, async () => {
      const before = fixture.apple.received.count();
      const ending = await ask(fixture.connect(), { ...fixture.headers(authorization), ...change }, PAYLOAD);
      assert.deepEqual([ending.status, reasonOf(ending)], [status, reason]);
      assert.equal(typeof ending.headers['apns-id'], 'string');
      assert.equal(fixture.apple.received.count(), before);
    });
  }

  it('takes an alert on the plain topic and a collapse id of 64 bytes', async () => {
    const headers = {
      ...fixture.headers(authorization),
      'apns-topic': BUNDLE_ID,
      'apns-push-type': 'alert',
      'apns-collapse-id': 'x'.repeat(64),
    };
    assert.equal((await ask(fixture.connect(), headers, PAYLOAD)).status, 200);
  });

  const payloadOf = (bytes: number): string => {
    const empty = JSON.stringify({ aps: {}, x: '' });
    return JSON.stringify({ aps: {}, x: 'x'.repeat(bytes - empty.length) });
  };
  const payloads: readonly [string, string, string, number, string | undefined][] = [
    ['an empty body', 'voip', '', 400, 'PayloadEmpty'],
    ['what is not JSON', 'voip', '{', 400, 'PayloadEmpty'],
    ['a list', 'voip', '[]', 400, 'PayloadEmpty'],
    ['a payload without aps', 'voip', '{"x":1}', 400, 'PayloadEmpty'],
    ['a VoIP payload of 5121 bytes', 'voip', payloadOf(5121), 413, 'PayloadTooLarge'],
    ['a VoIP payload of 5120 bytes', 'voip', payloadOf(5120), 200, undefined],
    ['an alert of 4097 bytes', 'alert', payloadOf(4097), 413, 'PayloadTooLarge'],
    ['an alert of 4096 bytes', 'alert', payloadOf(4096), 200, undefined],
  ];
  for (const [what, type, payload, status, reason] of payloads) {
    it(`answers ${what} with ${reason ?? status}`, async () => {
      const topic = type === 'voip' ? `${BUNDLE_ID}.voip` : BUNDLE_ID;
      const headers = { ...fixture.headers(authorization), 'apns-push-type': type, 'apns-topic': topic };
      const ending = await ask(fixture.connect(), headers, payload);
      assert.equal(ending.status, status);
      if (reason !== undefined) assert.equal(reasonOf(ending), reason);
    });
  }

  it('knows dead tokens and tokens of other apps', async () => {
    const dead = 'cd'.repeat(32);
    const foreign = 'ef'.repeat(32);
    fixture.apple.unregisterDevice(dead, 1_700_000_000_000);
    fixture.apple.registerDevice({ token: foreign, bundleId: 'com.example.other' });
    const headers = fixture.headers(authorization);
    const session = fixture.connect();
    const gone = await ask(session, { ...headers, ':path': `/3/device/${dead}` }, PAYLOAD);
    assert.equal(gone.status, 410);
    assert.deepEqual(JSON.parse(gone.body), { reason: 'Unregistered', timestamp: 1_700_000_000_000 });
    const wrong = await ask(session, { ...headers, ':path': `/3/device/${foreign}` }, PAYLOAD);
    assert.deepEqual([wrong.status, reasonOf(wrong)], [400, 'DeviceTokenNotForTopic']);
    fixture.apple.registerDevice({ token: dead, bundleId: BUNDLE_ID });
    assert.equal((await ask(session, { ...headers, ':path': `/3/device/${dead}` }, PAYLOAD)).status, 200);
  });

  it('takes many requests at once', async () => {
    const session = fixture.connect();
    await ask(session, fixture.headers(authorization), PAYLOAD);
    await until(() => (session.remoteSettings.maxConcurrentStreams ?? 0) > 1, 'the raised limit');
    const asks = Array.from({ length: 200 }, () =>
      ask(session, { ...fixture.headers(authorization), 'apns-id': randomUUID() }, PAYLOAD),
    );
    const endings = await Promise.all(asks);
    assert.deepEqual(new Set(endings.map(({ status }) => status)), new Set([200]));
  });
});

describe("Apple's stand-in, asked for credentials", () => {
  const cases: readonly [string, (fixture: AppleFixture) => Promise<string | undefined>, string][] = [
    ['no token and no certificate', async () => undefined, 'MissingProviderToken'],
    ['another scheme', async () => 'basic abc', 'InvalidProviderToken'],
    ['what is no token', async () => 'bearer abc', 'InvalidProviderToken'],
    ['a forged signature', (f) => f.jwt({ forge: true }), 'InvalidProviderToken'],
    ['an unknown key', (f) => f.jwt({ kid: 'KEY0000000' }), 'InvalidProviderToken'],
    ["another team's name", (f) => f.jwt({ iss: 'TEAM000000' }), 'InvalidProviderToken'],
    ['a token from the future', (f) => f.jwt({ iat: Date.now() / 1000 + 600 }), 'InvalidProviderToken'],
    ['a token over an hour old', (f) => f.jwt({ iat: Date.now() / 1000 - 3700 }), 'ExpiredProviderToken'],
  ];
  for (const [what, make, reason] of cases) {
    it(`refuses ${what}: ${reason}`, async (t) => {
      const fixture = await startAppleFixture();
      t.after(() => fixture.close());
      const headers = fixture.headers(await make(fixture));
      const ending = await ask(fixture.connect(), headers, PAYLOAD);
      assert.deepEqual([ending.status, reasonOf(ending)], [403, reason]);
    });
  }

  it('counts tokens: a second one within 20 minutes is too many, the first one stays good', async (t) => {
    const fixture = await startAppleFixture();
    t.after(() => fixture.close());
    const first = await fixture.jwt();
    const session = fixture.connect();
    assert.equal((await ask(session, fixture.headers(first), PAYLOAD)).status, 200);
    const ending = await ask(
      session,
      fixture.headers(await fixture.jwt({ iat: 1 + Date.now() / 1000 })),
      PAYLOAD,
    );
    assert.deepEqual([ending.status, reasonOf(ending)], [429, 'TooManyProviderTokenUpdates']);
    assert.equal((await ask(session, fixture.headers(first), PAYLOAD)).status, 200);
  });

  it('lets tokens change at will when told so', async (t) => {
    const fixture = await startAppleFixture({ minTokenUpdateMs: 0 });
    t.after(() => fixture.close());
    const session = fixture.connect();
    for (const age of [0, 5, 10]) {
      const jwt = await fixture.jwt({ iat: Math.floor(Date.now() / 1000) - age });
      assert.equal((await ask(session, fixture.headers(jwt), PAYLOAD)).status, 200);
    }
  });

  it('holds keys to their topics, their environment and their connection', async (t) => {
    const fixture = await startAppleFixture({ minTokenUpdateMs: 0 });
    t.after(() => fixture.close());
    const { generateKeyPairSync } = await import('node:crypto');
    const { SignJWT } = await import('jose');
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicKey = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const jwt = `bearer ${await new SignJWT({ iss: 'T', iat: Math.floor(Date.now() / 1000) })
      .setProtectedHeader({ alg: 'ES256', kid: 'K2' })
      .sign(pair.privateKey)}`;
    const reason = async (session = fixture.connect()) =>
      reasonOf(await ask(session, fixture.headers(jwt), PAYLOAD));
    fixture.apple.registerKey({ keyId: 'K2', teamId: 'T', publicKey, topics: ['com.example.other'] });
    assert.equal(await reason(), 'TopicDisallowed');
    fixture.apple.registerKey({ keyId: 'K2', teamId: 'T', publicKey, environment: 'sandbox' });
    assert.equal(await reason(), 'BadEnvironmentKeyIdInToken');
    fixture.apple.registerKey({ keyId: 'K2', teamId: 'T', publicKey });
    const session = fixture.connect();
    await ask(session, fixture.headers(await fixture.jwt()), PAYLOAD);
    assert.equal(await reason(session), 'UnrelatedKeyIdInToken');
    assert.notEqual(KEY_ID, 'K2');
  });

  it('takes a client certificate of the app, for its topics only', async (t) => {
    const fixture = await startAppleFixture();
    t.after(() => fixture.close());
    const { certificate: cert, privateKey: key } = fixture.ca.issueClient({ commonName: BUNDLE_ID });
    const session = fixture.connect({ cert, key });
    assert.equal((await ask(session, fixture.headers(), PAYLOAD)).status, 200);
    const other = { ...fixture.headers(), 'apns-topic': 'com.example.other.voip' };
    assert.equal(reasonOf(await ask(session, other, PAYLOAD)), 'TopicDisallowed');
  });

  it('refuses an expired client certificate', async (t) => {
    const fixture = await startAppleFixture();
    t.after(() => fixture.close());
    const notAfter = new Date(Date.now() - 1000);
    const { certificate: cert, privateKey: key } = fixture.ca.issueClient({
      commonName: BUNDLE_ID,
      notAfter,
    });
    const ending = await ask(fixture.connect({ cert, key }), fixture.headers(), PAYLOAD);
    assert.deepEqual([ending.status, reasonOf(ending)], [403, 'BadCertificate']);
  });

  it('allows one stream until the first request with valid credentials', async (t) => {
    const fixture = await startAppleFixture({ streams: 77 });
    t.after(() => fixture.close());
    const session = fixture.connect();
    await ask(session, fixture.headers('bearer abc'), PAYLOAD);
    assert.equal(session.remoteSettings.maxConcurrentStreams, 1);
    await ask(session, fixture.headers(await fixture.jwt()), PAYLOAD);
    await until(() => session.remoteSettings.maxConcurrentStreams === 77, 'the raised limit');
    fixture.apple.limitStreams(3);
    await until(() => session.remoteSettings.maxConcurrentStreams === 3, 'the lowered limit');
  });

  it('refuses tokens it never heard of when told to know its devices', async (t) => {
    const fixture = await startAppleFixture({ knownDevicesOnly: true });
    t.after(() => fixture.close());
    const ending = await ask(fixture.connect(), fixture.headers(await fixture.jwt()), PAYLOAD);
    assert.equal(reasonOf(ending), 'BadDeviceToken');
  });
});
