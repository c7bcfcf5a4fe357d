import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { until } from '../../harness/until.ts';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';
import { newServiceAccount, newTeamKey, saveApps } from '../providers/own-apps.ts';
import { UNHURRIED } from '../providers/unhurried.ts';

function keyOf(authorization: string | undefined): string | undefined {
  return decodeProtectedHeader((authorization ?? '').replace(/^bearer /, '')).kid;
}

function lastKey(service: TestService): string | undefined {
  return keyOf(service.world.apple.requests.list().at(-1)?.headers.authorization);
}

describe('apps that change while the service runs', { concurrency: true }, () => {
  it('an added app is taken up by its first call, however long the next look is away', async (t) => {
    const service = await startTestService(t, {
      settings: { ...UNHURRIED, APPS_REFRESH_INTERVAL: '600000' },
    });
    const appId = 'com.example.added';
    const phone = await service.phone({ register: false, app: appId });
    assert.equal((await phone.register()).status, 404);
    const credential = await newServiceAccount(service.world, 'project-added');
    await saveApps(service, [{ platform: 'android', appId, credential }]);
    assert.equal((await phone.register()).status, 201);
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    const [request] = service.world.google.requests.list();
    assert.equal(request?.headers[':path'], '/v1/projects/project-added/messages:send');
  });

  it('an added app connects before its first call', async (t) => {
    const service = await startTestService(t, { settings: { ...UNHURRIED, APPS_REFRESH_INTERVAL: '100' } });
    const { apple } = service.world;
    await until(() => apple.sessions() === 1, 'the first connection stands');
    const credential = newTeamKey(service.world, 'ADDEDADDED');
    await saveApps(service, [{ platform: 'apns', appId: 'com.example.added', credential }]);
    await until(() => apple.sessions() === 2, 'the connection of the new app stands');
  });

  it('a rotated key is used from then on, and calls that wait are not disturbed', async (t) => {
    const service = await startTestService(t, {
      settings: { ...UNHURRIED, APPS_REFRESH_INTERVAL: '100', APP_PUSH_ROUNDTRIP_WAIT: '20000' },
    });
    const { apple, teamKey } = service.world;
    const phones = [
      await service.phone({ kind: 'ios', silent: true }),
      await service.phone({ kind: 'ios' }),
    ] as const;
    const waiting = service.ask({ account: phones[0].account });
    await until(() => phones[0].pushes() === 1, 'the first phone is pushed');
    assert.equal(lastKey(service), teamKey.keyId);

    const credential = newTeamKey(service.world, 'NEWKEYNEWK');
    await saveApps(service, [{ platform: 'apns', appId: 'com.example.phone', credential }]);
    await until(async () => {
      assert.equal((await service.ask({ account: phones[1].account })).outcome, 'ready');
      return lastKey(service) === 'NEWKEYNEWK';
    }, 'the new key is used');
    await until(() => apple.sessions() === 1, 'the old connection is closed');

    const push = apple.received.list().find((received) => received.token === phones[0].token);
    assert.ok(push);
    assert.equal((await phones[0].answer(push)).status, 202);
    assert.equal((await waiting).outcome, 'ready');
  });

  it('a refused key is replaced: calls ring again at once', async (t) => {
    const service = await startTestService(t, { settings: { ...UNHURRIED, APPS_REFRESH_INTERVAL: '100' } });
    const phones = [1, 2, 3, 4].map(() => service.phone({ kind: 'ios' }));
    const [phone, ...others] = await Promise.all(phones);
    assert.ok(phone);
    const refused = { kind: 'answer', status: 403, reason: 'InvalidProviderToken' } as const;
    service.world.apple.script(refused, { times: 6 });
    for (const { account } of [...others, phone])
      assert.equal((await service.ask({ account })).outcome, 'provider-down');
    const breaker =
      'vialer_middleware_breaker_state{app="com.example.phone",platform="apns",environment="production"}';
    assert.equal(await service.metric(breaker), 2);
    const credential = newTeamKey(service.world, 'NEWKEYNEWK');
    await saveApps(service, [{ platform: 'apns', appId: 'com.example.phone', credential }]);
    await service.running.refreshApps();
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    assert.equal(lastKey(service), 'NEWKEYNEWK');
    assert.equal(await service.metric(breaker), 0, 'the alarm ends with the key that caused it');
  });

  it('an app whose credential is of no use costs its own calls only, and says so', async (t) => {
    const service = await startTestService(t, {
      settings: { ...UNHURRIED, APPS_REFRESH_INTERVAL: '600000' },
    });
    const appId = 'com.example.broken';
    const credential = { ...newTeamKey(service.world, 'BROKENKEYA'), privateKey: 'not a key' };
    await saveApps(service, [{ platform: 'apns', appId, credential }]);
    const broken = await service.phone({ kind: 'ios', app: appId });
    const good = await service.phone({ kind: 'ios', account: newAccount() });
    assert.equal((await service.ask({ account: broken.account })).outcome, 'provider-down');
    assert.equal((await service.ask({ account: good.account })).outcome, 'ready');
    const alarm = service.logged.find((line) => line.fields['app'] === appId && line.level === 'error');
    assert.equal(alarm?.fields['reason'], 'credential-unusable');
  });
});
