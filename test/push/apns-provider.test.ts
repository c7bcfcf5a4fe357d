import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ChannelFailure } from '../../src/http2/channel-types.ts';
import type { FinalVerdict, PushVerdict } from '../../src/push/push-provider.ts';
import { apnsScene } from './helpers/apns-scene.ts';
import {
  answered,
  makeCall,
  makeDevice,
  makeRequest,
  makeRsaKey,
  PLAIN,
  until,
} from './helpers/provider-fixture.ts';

it('a call goes out with the headers that Apple asks of a VoIP push', async () => {
  const { provider, channels, clock, token } = apnsScene();
  const request = makeRequest(clock);
  assert.deepEqual(await provider.send(request, PLAIN), { kind: 'accepted', reason: 'Accepted' });
  const [sent] = channels.production.sent;
  assert.equal(sent?.path, '/3/device/a1b2c3d4');
  assert.deepEqual(sent?.headers, {
    'apns-topic': 'com.example.phone.voip',
    'apns-push-type': 'voip',
    'apns-priority': '10',
    'apns-expiration': '0',
    'apns-id': request.id,
    authorization: await token?.current(),
  });
  assert.equal(JSON.parse(sent?.body ?? '').caller_id, 'Reception');
  assert.equal(sent?.deadline, request.deadline);
  assert.equal(sent?.wanted, request.wanted);
  assert.equal(channels.sandbox.sent.length, 0);
});

it('an app with a certificate sends no authorization', async () => {
  const { provider, channels, clock } = apnsScene(answered(200), false);
  await provider.send(makeRequest(clock), PLAIN);
  assert.equal('authorization' in (channels.production.sent[0]?.headers ?? {}), false);
});

it('a token is one path segment, whatever is in it', async () => {
  const { provider, channels, clock } = apnsScene();
  await provider.send(makeRequest(clock, { device: makeDevice({ token: 'a/b?c#d é\ud800' }) }), PLAIN);
  assert.equal(channels.production.sent[0]?.path, '/3/device/a%2Fb%3Fc%23d%20%C3%A9%EF%BF%BD');
});

it('the device says which environment, and nothing means production', async () => {
  const { provider, channels, clock } = apnsScene();
  for (const sandbox of [true, false, null])
    await provider.send(makeRequest(clock, { device: makeDevice({ sandbox }) }), PLAIN);
  assert.equal(channels.sandbox.sent.length, 1);
  assert.equal(channels.production.sent.length, 2);
  assert.equal(provider.environmentOf(makeDevice({ sandbox: true })), 'sandbox');
  assert.equal(provider.environmentOf(makeDevice({ sandbox: null })), 'production');
});

it('the minimal variant leaves the name out', async () => {
  const { provider, channels, clock } = apnsScene();
  await provider.send(makeRequest(clock), { ...PLAIN, minimal: true });
  assert.equal(JSON.parse(channels.production.sent[0]?.body ?? '').caller_id, '');
});

it('an alert notice goes to the other token on the plain topic, for an hour', async () => {
  const { provider, channels, clock } = apnsScene();
  const request = makeRequest(clock, {
    device: makeDevice({ remoteNotificationToken: 'beef' }),
    message: { kind: 'notice', text: 'Taken over', channel: 'alert' },
  });
  assert.equal((await provider.send(request, PLAIN)).kind, 'accepted');
  const [sent] = channels.production.sent;
  assert.equal(sent?.path, '/3/device/beef');
  const { authorization, ...headers } = sent?.headers ?? {};
  assert.ok(authorization);
  assert.deepEqual(headers, {
    'apns-topic': 'com.example.phone',
    'apns-push-type': 'alert',
    'apns-priority': '10',
    'apns-expiration': String(Math.floor(clock.wall() / 1000) + 3_600),
    'apns-id': request.id,
  });
  assert.equal(sent?.body, '{"aps":{"alert":"Taken over"}}');
});

it('a VoIP notice goes where calls go', async () => {
  const { provider, channels, clock } = apnsScene();
  await provider.send(makeRequest(clock, { message: { kind: 'notice', text: 'T', channel: 'voip' } }), PLAIN);
  const [sent] = channels.production.sent;
  assert.equal(sent?.path, '/3/device/a1b2c3d4');
  assert.equal(sent?.headers['apns-push-type'], 'voip');
  assert.equal(sent?.body, '{"aps":{},"type":"message","message":"T"}');
});

it('a notice that the device cannot get is not sent', async () => {
  const { provider, channels, clock } = apnsScene();
  for (const channel of ['alert', 'data'] as const) {
    const message = { kind: 'notice', text: 'T', channel } as const;
    const verdict = await provider.send(makeRequest(clock, { message }), PLAIN);
    assert.deepEqual(verdict, { kind: 'our-fault', reason: 'notice-unsupported' });
  }
  assert.equal(channels.production.sent.length, 0);
});

function once(reason: string, otherwise: FinalVerdict): PushVerdict {
  return {
    kind: 'retry',
    reason,
    limit: 'once',
    afterMs: 0,
    otherwise,
  };
}

it('a payload that is too large without the name is our fault', async () => {
  const { provider, clock } = apnsScene(answered(413, { reason: 'PayloadTooLarge' }));
  const verdict = await provider.send(makeRequest(clock), { ...PLAIN, minimal: true });
  assert.deepEqual(verdict, { kind: 'our-fault', reason: 'PayloadTooLarge' });
});

const unknownEnvironment = makeDevice({ sandbox: null });

it('a token of unknown environment is tried in the other one, once', async () => {
  for (const reason of ['BadDeviceToken', 'DeviceTokenNotForTopic']) {
    const { provider, clock, channels } = apnsScene(answered(400, { reason }));
    const request = makeRequest(clock, { device: unknownEnvironment });
    const otherwise = { kind: 'token-suspect', reason } as const;
    const first = await provider.send(request, PLAIN);
    assert.deepEqual(first, { ...once(reason, otherwise), variant: { otherEnvironment: true } });
    assert.deepEqual(await provider.send(request, { ...PLAIN, otherEnvironment: true }), otherwise);
    assert.equal(channels.production.sent.length, 1);
    assert.equal(channels.sandbox.sent.length, 1);
  }
});

it('the environment that took it is told', async () => {
  const { provider, clock } = apnsScene();
  const request = makeRequest(clock, { device: unknownEnvironment });
  assert.deepEqual(await provider.send(request, { ...PLAIN, otherEnvironment: true }), {
    kind: 'accepted',
    reason: 'Accepted',
    sandbox: true,
  });
});

it('a key that is not for the other environment is not broken', async () => {
  const { provider, clock } = apnsScene(answered(403, { reason: 'BadEnvironmentKeyIdInToken' }));
  const request = makeRequest(clock, { device: unknownEnvironment });
  const verdict = await provider.send(request, { ...PLAIN, otherEnvironment: true });
  assert.equal(verdict.kind, 'token-suspect');
});

it('an expired provider token is replaced after 20 minutes and the push sent again', async () => {
  const { provider, clock, channels, events } = apnsScene(answered(403, { reason: 'ExpiredProviderToken' }));
  await provider.send(makeRequest(clock), PLAIN);
  await clock.advance(20 * 60_000);
  const verdict = await provider.send(makeRequest(clock), PLAIN);
  const reason = 'ExpiredProviderToken';
  assert.deepEqual(verdict, once(reason, { kind: 'app-fault', reason }));
  await provider.send(makeRequest(clock), PLAIN);
  const used = channels.production.sent.map(({ headers }) => headers['authorization']);
  assert.equal(used[0], used[1]);
  assert.notEqual(used[1], used[2]);
  assert.equal(events.named('apnsTokenMinted').length, 2);
});

it('too many token updates do not bring another one', async () => {
  const { provider, clock, events } = apnsScene(answered(429, { reason: 'TooManyProviderTokenUpdates' }));
  for (let i = 0; i < 5; i += 1) {
    await provider.send(makeRequest(clock), PLAIN);
    await clock.advance(5 * 60_000);
  }
  assert.equal(events.named('apnsTokenMinted').length, 1);
});

const FAILURES: Readonly<Record<ChannelFailure, PushVerdict['kind']>> = {
  timeout: 'unavailable',
  unreachable: 'unavailable',
  'connection-lost': 'retry',
  closed: 'unavailable',
  'stream-reset': 'retry',
  'queue-full': 'overloaded',
  withdrawn: 'withdrawn',
  malformed: 'our-fault',
  dismissed: 'unavailable',
  'connection-refused': 'unavailable',
  'host-not-found': 'unavailable',
  'no-route': 'unavailable',
  'tls-failed': 'unavailable',
  'not-http2': 'unavailable',
  'proxy-refused': 'unavailable',
  'certificate-expired': 'app-fault',
  'certificate-revoked': 'app-fault',
  'certificate-unknown-ca': 'app-fault',
  'certificate-refused': 'app-fault',
};

it('a request without an answer is what the channel says of it', async () => {
  const reasons: ChannelFailure[] = [
    'timeout',
    'unreachable',
    'connection-lost',
    'closed',
    'stream-reset',
    'queue-full',
    'withdrawn',
    'malformed',
    'dismissed',
    'connection-refused',
    'host-not-found',
    'no-route',
    'tls-failed',
    'not-http2',
    'proxy-refused',
    'certificate-expired',
    'certificate-revoked',
    'certificate-unknown-ca',
    'certificate-refused',
  ];
  assert.equal(reasons.length, Object.keys(FAILURES).length);
  for (const reason of reasons) {
    const { provider, clock } = apnsScene({ kind: 'failed', reason });
    const verdict = await provider.send(makeRequest(clock), PLAIN);
    assert.equal(verdict.kind, FAILURES[reason]);
    assert.equal(verdict.reason, reason);
  }
});

it('a key that cannot sign is a fault of the app, and nothing is sent', async () => {
  const { provider, clock, channels } = apnsScene(answered(200), true, makeRsaKey().pem);
  provider.warm();
  assert.deepEqual(await provider.send(makeRequest(clock), PLAIN), {
    kind: 'app-fault',
    reason: 'key-unusable',
    unsent: true,
  });
  assert.equal(channels.production.sent.length, 0);
});

it('warming connects to production and makes the token; closing lets go of both channels', async () => {
  const { provider, channels, events } = apnsScene();
  provider.warm();
  await until(() => events.named('apnsTokenMinted').length === 1);
  assert.equal(channels.production.counts.warmings, 1);
  assert.equal(channels.sandbox.counts.warmings, 0);
  await provider.close();
  assert.equal(channels.production.counts.closings, 1);
  assert.equal(channels.sandbox.counts.closings, 1);
});

it('an app with a certificate has no token to make when it warms', async () => {
  const { provider, channels } = apnsScene(answered(200), false);
  provider.warm();
  assert.equal(channels.production.counts.warmings, 1);
});

it('a call of a later attempt tells which', async () => {
  const { provider, channels, clock } = apnsScene();
  await provider.send(makeRequest(clock, { message: makeCall({ attempt: 3 }) }), PLAIN);
  assert.equal(JSON.parse(channels.production.sent[0]?.body ?? '').attempt, 3);
});

it('one phone that is always answered 500 does not have the connection replaced with each call', async () => {
  const { provider, clock, channels } = apnsScene(answered(500, { reason: 'InternalServerError' }));
  const renewals = () => channels.production.counts.renewals;
  for (let i = 0; i < 10; i += 1) {
    await provider.send(makeRequest(clock), PLAIN);
    await clock.advance(2_000);
  }
  assert.equal(renewals(), 1);
  await provider.send(
    makeRequest(clock, { device: makeDevice({ account: 987_654_321, token: 'ff' }) }),
    PLAIN,
  );
  assert.equal(renewals(), 2, 'another phone that is answered so does');
  await clock.advance(10_000);
  await provider.send(makeRequest(clock), PLAIN);
  assert.equal(renewals(), 3, 'and the same one after half a minute');
  await clock.advance(1_000);
  await provider.send(makeRequest(clock), PLAIN);
  assert.equal(renewals(), 3, 'which it has to wait for again');
});
