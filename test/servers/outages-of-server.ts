import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { DatabaseServer } from '../../harness/database-server.ts';
import { until } from '../../harness/until.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';
import { newAccount, startTestService, type TestPhone, type TestService } from '../helpers/test-service.ts';

/** A machine that is busy with other tests is slow to wake a phone. */
const PATIENT = { APP_PUSH_ROUNDTRIP_WAIT: '15000' };

interface Scene {
  readonly service: TestService;
  readonly phone: TestPhone;
}

async function startScene(t: TestContext, server: DatabaseServer): Promise<Scene> {
  const databaseUrl = await server.createDatabase();
  const service = await startTestService(t, {
    databaseUrl,
    settings: { ...PATIENT, DATABASE_POOL_SIZE: '4' },
  });
  const phone = await service.phone();
  assert.equal((await service.ask({ account: phone.account })).body, 'status=ACK');
  return { service, phone };
}

/** Every caller hears in time what is the matter. The best of a few tries: the machine may be busy. */
async function assertUnavailable({ service, phone }: Scene): Promise<void> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 3; tries += 1) {
    const askedAt = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => service.ask({ account: phone.account })),
    );
    fastest = Math.min(fastest, performance.now() - askedAt);
    for (const { body, outcome } of answers) {
      assert.deepEqual([body, outcome], ['status=NAK', 'storage-unavailable']);
    }
  }
  assert.ok(fastest < 1_000, `the PBX waited ${Math.round(fastest)} ms`);
  assert.equal((await phone.register()).status, 503);
  const ready = await fetch(`${service.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /the database does not answer/);
}

/** Recovery needs nobody: soon every call rings again, on every connection. */
async function assertRecovers({ service, phone }: Scene): Promise<void> {
  await until(
    async () => (await fetch(`${service.url}/readyz`)).status === 200,
    'the service is ready again',
  );
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => service.ask({ account: phone.account })),
  );
  for (const { body, outcome } of answers) assert.equal(body, 'status=ACK', outcome);
  assert.equal((await phone.register()).status, 200);
}

async function isReadyAt(url: string): Promise<boolean> {
  return (await (await fetch(`${url}/readyz`)).text()).includes('"status":"ready"');
}

/** What callers hear while the server is away, and that nothing is left behind. */
export function outagesOfServer(server: () => DatabaseServer): void {
  describe('outages', () => {
    it('a paused server: NAK within a second, registrations 503, not ready; afterwards all is well', async (t) => {
      const scene = await startScene(t, server());
      await server().process.pause();
      t.after(() => server().process.resume());
      await assertUnavailable(scene);
      server().process.resume();
      await assertRecovers(scene);
    });

    it('a paused server is not asked once more for each readiness probe', async (t) => {
      const { service } = await startScene(t, server());
      await server().process.pause();
      t.after(() => server().process.resume());
      const probes = Array.from({ length: 200 }, () => fetch(`${service.url}/readyz`));
      for (const { status } of await Promise.all(probes)) assert.equal(status, 503);
      const failures = await service.metric('vialer_middleware_storage_failures_total');
      assert.ok(failures < 20, `${failures} questions`);
      server().process.resume();
    });

    it('a killed server: the same, and the service finds it again when it is back', async (t) => {
      const scene = await startScene(t, server());
      await server().kill();
      await assertUnavailable(scene);
      await server().start();
      await assertRecovers(scene);
    });

    it('with DEVICE_CACHE_SECONDS known accounts ring while the server is away; only the first calls wait for it', async (t) => {
      const service = await startTestService(t, {
        databaseUrl: await server().createDatabase(),
        settings: { ...PATIENT, DEVICE_CACHE_SECONDS: '600' },
      });
      const phones = [
        await service.phone(),
        await service.phone({ kind: 'ios' }),
        await service.phone({ kind: 'ios' }),
      ];
      const stranger = newAccount();
      const dead = phones.pop() ?? assert.fail('no phone');
      const callAll = () => Promise.all(phones.map(({ account }) => service.ask({ account })));
      const outages = [
        { begin: () => server().process.pause(), end: async () => server().process.resume() },
        { begin: () => server().kill(), end: () => server().start() },
      ];
      t.after(() => server().process.resume());
      for (const { begin, end } of outages) {
        await begin();
        for (const { body, outcome } of await callAll()) assert.equal(body, 'status=ACK', outcome);
        const askedAt = performance.now();
        for (let call = 0; call < 10; call += 1) {
          for (const { body, outcome } of await callAll()) assert.equal(body, 'status=ACK', outcome);
        }
        assert.ok(performance.now() - askedAt < 8_000, 'not one deadline of the database for each call');
        assert.equal((await service.ask({ account: stranger })).outcome, 'storage-unavailable');
        assert.equal((await phones[0]?.register())?.status, 503);
        // Known accounts ring: taking the instance out of service would lose their calls.
        const readiness = await fetch(`${service.url}/readyz`);
        assert.equal(readiness.status, 200);
        assert.match(await readiness.text(), /"degraded".*only accounts in memory ring/);
        await end();
        await until(async () => {
          // Known accounts are still looked up in memory until the database was asked again.
          const { outcome } = await service.ask({ account: stranger });
          return outcome === 'no-device' && (await isReadyAt(service.url));
        }, 'the database is asked again');
      }
      const told = () => service.logged.filter(({ message }) => /looked up in memory$/.test(message)).length;
      // On a busy machine a query that misses its deadline is an outage of its own.
      assert.ok(told() >= 2 && told() < 8, `told ${told()} times for 2 outages`);
      assert.ok((await service.metric('vialer_middleware_calls_from_cache_total')) >= 44);

      await service.ask({ account: dead.account });
      service.world.apple.unregisterDevice(dead.token, Date.now());
      await server().kill();
      assert.equal((await service.ask({ account: dead.account })).outcome, 'token-gone');
      assert.equal((await service.ask({ account: dead.account })).outcome, 'storage-unavailable');
      await server().start();
    });

    it('what was confirmed before the server was killed is there afterwards', async (t) => {
      const scene = await startScene(t, server());
      await server().kill();
      await server().start();
      const database = await openDatabase(scene.service.databaseUrl);
      assert.equal((await createDeviceStore(database).find(scene.phone.account))?.token, scene.phone.token);
      await database.close();
    });

    it('a database that is closed while its server hangs leaves no socket open', async (t) => {
      const database = await openDatabase(await server().createDatabase());
      await migrate(database);
      const devices = createDeviceStore(database);
      await devices.find(1);
      const sockets = () =>
        process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
      const before = sockets();
      assert.ok(before > 0);
      await server().process.pause();
      t.after(() => server().process.resume());
      const finds = await Promise.allSettled(Array.from({ length: 40 }, () => devices.find(1)));
      for (const find of finds) {
        assert.ok(find.status === 'rejected' && find.reason instanceof StorageUnavailable);
      }
      await database.close();
      await until(() => sockets() < before, 'the sockets are closed');
    });
  });
}
