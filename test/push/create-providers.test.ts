import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ChannelSpec } from '../../src/http2/channel-pool.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { DIRECTLY } from '../../src/lib/proxy-route.ts';
import { createProviders } from '../../src/push/create-providers.ts';
import {
  answered,
  apnsKey,
  createScriptedChannel,
  fcmAccount,
  makeApp,
  makeDevice,
  makeEcKey,
  makeRequest,
  makeRsaKey,
  PLAIN,
  recordEvents,
  type ScriptedChannel,
} from './helpers/provider-fixture.ts';
import { createAuthority } from './helpers/test-authority.ts';
import { giveToken, startTokenServer } from './helpers/token-server.ts';

const ecKey = makeEcKey();
const rsaKey = makeRsaKey();
const authority = createAuthority();

function scene() {
  const made: {
    readonly spec: ChannelSpec;
    readonly channel: ScriptedChannel;
    readonly connected: () => void;
  }[] = [];
  const events = recordEvents();
  const createProvider = createProviders({
    origins: { apns: 'https://apple', apnsSandbox: 'https://sandbox', fcm: 'https://google' },
    clock: systemClock,
    events,
    proxies: DIRECTLY,
    createChannel: (spec, connected) => {
      const channel = createScriptedChannel(() => answered(200));
      made.push({ spec, channel, connected });
      return channel;
    },
  });
  return { made, events, createProvider };
}

it('apps with the same Apple key share connections and token; the last one closes them', async () => {
  const { made, events, createProvider } = scene();
  const one = createProvider(makeApp(apnsKey(ecKey.pem)));
  const two = createProvider(makeApp(apnsKey(ecKey.pem), { key: 2, appId: 'com.example.other' }));
  await one.send(makeRequest(systemClock), PLAIN);
  await two.send(makeRequest(systemClock), PLAIN);
  assert.deepEqual(
    made.map(({ spec }) => spec.origin),
    ['https://apple', 'https://sandbox'],
  );
  assert.deepEqual(
    made[0]?.channel.sent.map(({ headers }) => headers['apns-topic']),
    ['com.example.phone.voip', 'com.example.other.voip'],
  );
  assert.equal(events.named('apnsTokenMinted').length, 1);
  await one.close();
  assert.equal(made[0]?.channel.counts.closings, 0);
  await two.close();
  assert.equal(made[0]?.channel.counts.closings, 1);
});

it('every app that shares a connection hears that it was made, of its environment, until it is closed', async () => {
  const { made, createProvider } = scene();
  const heard: string[] = [];
  const providers = [1, 2].map((key) => createProvider(makeApp(apnsKey(ecKey.pem), { key })));
  for (const [n, provider] of providers.entries())
    provider.watch((environment, way) => heard.push(`${n} ${environment} ${way}`));
  made[0]?.connected();
  made[1]?.connected();
  await providers[0]?.close();
  made[0]?.connected();
  assert.deepEqual(heard, [
    '0 production connected',
    '1 production connected',
    '0 sandbox connected',
    '1 sandbox connected',
    '1 production connected',
  ]);
});

it('an app of Google hears of connections and of access tokens', async () => {
  await using server = await startTokenServer((response) => giveToken(response, 'shared'));
  const { made, createProvider } = scene();
  const heard: string[] = [];
  const provider = createProvider(makeApp(fcmAccount(rsaKey.pem, server.uri)));
  provider.watch((environment, way) => heard.push(`${environment} ${way}`));
  made[0]?.connected();
  const deadline = systemClock.now() + 20_000;
  await provider.send(
    makeRequest(systemClock, { device: makeDevice({ platform: 'android' }), deadline }),
    PLAIN,
  );
  assert.deepEqual(heard, ['production connected', 'production token-fetched']);
  await provider.close();
  made[0]?.connected();
  assert.equal(heard.length, 2);
});

it('an app with another key has connections of its own', () => {
  const { made, createProvider } = scene();
  createProvider(makeApp(apnsKey(ecKey.pem)));
  createProvider(makeApp(apnsKey(ecKey.pem, 'OTHERKEY12'), { key: 2 }));
  assert.equal(made.length, 4);
});

it('an android and a gcm app of one account share connection and OAuth token', async () => {
  await using server = await startTokenServer((response) => giveToken(response, 'shared'));
  const { made, createProvider } = scene();
  const account = fcmAccount(rsaKey.pem, server.uri);
  const providers = (['android', 'gcm'] as const).map((platform, index) =>
    createProvider(makeApp(account, { key: index, platform })),
  );
  const device = makeDevice({ platform: 'android' });
  const deadline = systemClock.now() + 20_000;
  const verdicts = await Promise.all(
    providers.map((provider) => provider.send(makeRequest(systemClock, { device, deadline }), PLAIN)),
  );
  assert.deepEqual(verdicts, [
    { kind: 'accepted', reason: 'Accepted' },
    { kind: 'accepted', reason: 'Accepted' },
  ]);
  assert.equal(server.asked.length, 1);
  assert.equal(made.length, 1);
  assert.equal(made[0]?.channel.sent[1]?.headers['authorization'], 'Bearer shared');
  await Promise.all(providers.map((provider) => provider.close()));
  assert.equal(made[0]?.channel.counts.closings, 1);
});

it('an app with a certificate shows it on connections of its own, and sends no token', async () => {
  const { made, createProvider } = scene();
  const { cert, key } = authority.client;
  const credential = { kind: 'apns-certificate', certificate: cert, privateKey: key } as const;
  const provider = createProvider(makeApp(credential));
  createProvider(makeApp(apnsKey(ecKey.pem), { key: 2 }));
  assert.deepEqual(
    made.slice(0, 2).map(({ spec }) => [spec.origin, spec.tls]),
    [
      ['https://apple', { cert, key }],
      ['https://sandbox', { cert, key }],
    ],
  );
  assert.equal(made.length, 4);
  await provider.send(makeRequest(systemClock), PLAIN);
  assert.equal('authorization' in (made[0]?.channel.sent[0]?.headers ?? {}), false);
});

it('a credential that nothing can be made of is refused and holds nothing', () => {
  const { made, createProvider } = scene();
  const broken = [
    makeApp(apnsKey('no key')),
    makeApp({ kind: 'apns-certificate', certificate: 'no certificate', privateKey: ecKey.pem }),
    makeApp({ kind: 'apns-certificate', certificate: authority.client.cert, privateKey: ecKey.pem }),
    makeApp(fcmAccount('no key', 'http://127.0.0.1:1/token')),
    makeApp(apnsKey(ecKey.pem), { platform: 'android' }),
    makeApp(fcmAccount(rsaKey.pem, 'http://127.0.0.1:1/token'), { platform: 'apns' }),
  ];
  for (const app of broken) assert.throws(() => createProvider(app));
  assert.equal(made.length, 0);
});
