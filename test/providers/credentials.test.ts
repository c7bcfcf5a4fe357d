import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { addApps, newServiceAccount, saveApps } from './own-apps.ts';
import { askedOfApple } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

async function addCertificateApp(service: TestService, appId: string, notAfter?: Date): Promise<void> {
  const options = { commonName: appId, ...(notAfter === undefined ? {} : { notAfter }) };
  const issued = service.world.ca.issueClient(options);
  await addApps(service, [{ platform: 'apns', appId, credential: { kind: 'apns-certificate', ...issued } }]);
}

it('two apps with the same key share one connection and one provider token', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const { apple, teamKey } = service.world;
  await until(() => apple.sessions() === 1, 'the connection stands');
  const credential = { kind: 'apns-key', ...teamKey } as const;
  await addApps(service, [{ platform: 'apns', appId: 'com.example.other', credential }]);
  for (const app of ['com.example.phone', 'com.example.other']) {
    const phone = await service.phone({ kind: 'ios', app });
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    assert.equal(askedOfApple(service, phone)[0]?.headers['apns-topic'], `${app}.voip`);
  }
  assert.equal(apple.accepted(), 1);
  assert.equal(new Set(apple.requests.list().map((request) => request.headers.authorization)).size, 1);
});

it('an app with a certificate shows it on a connection of its own, and no provider token', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const { apple } = service.world;
  await addCertificateApp(service, 'com.example.certified');
  await until(() => apple.sessions() === 2, 'its connection stands');
  const phone = await service.phone({ kind: 'ios', app: 'com.example.certified' });
  assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
  const [request] = askedOfApple(service, phone);
  assert.equal(request?.ending, 'accepted');
  assert.equal(request?.headers.authorization, undefined);
  assert.equal(request?.headers['apns-topic'], 'com.example.certified.voip');
  assert.equal(apple.accepted(), 2);
});

it('an app with an expired certificate costs its own calls at once, and nobody else any', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  await addCertificateApp(service, 'com.example.expired', new Date(Date.now() - 60_000));
  const phone = await service.phone({ kind: 'ios', app: 'com.example.expired' });
  const other = await service.phone({ kind: 'ios' });
  assert.equal((await service.ask({ account: phone.account })).outcome, 'provider-down');
  assert.equal((await service.ask({ account: other.account })).outcome, 'ready');
});

it('50 first calls at once fetch one access token', async (t) => {
  const service = await startTestService(t, {
    settings: {
      ...UNHURRIED,
      // The calls themselves make the service look for the new app.
      APPS_REFRESH_INTERVAL: '600000',
    },
  });
  const { google } = service.world;
  await until(() => google.tokensIssued() === 1, "the other app's token is there");
  const appId = 'com.example.new';
  const credential = await newServiceAccount(service.world, 'project-new');
  await saveApps(service, [{ platform: 'android', appId, credential }]);
  const phones = await Promise.all(Array.from({ length: 50 }, () => service.phone({ app: appId })));
  assert.equal(google.tokensIssued(), 1);
  google.scriptToken({ kind: 'delay', ms: 300 });
  const answers = await Promise.all(phones.map(({ account }) => service.ask({ account })));
  for (const { outcome } of answers) assert.equal(outcome, 'ready');
  assert.equal(google.tokensIssued(), 2);
  assert.equal(google.requests.count(), 50);
});
