import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { readConfig } from '../../src/config/config.ts';
import { createDeviceProbe } from '../../src/devices/device-probe.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { createHttpServers } from '../../src/service/http-parts.ts';
import { createReadiness } from '../../src/service/readiness.ts';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { idleTelemetry } from '../helpers/idle-telemetry.ts';
import { NO_LIMITS } from '../helpers/no-limits.ts';
import { startTestService } from '../helpers/test-service.ts';
import { asForm, asJson, send } from './http-client.ts';
import { addMember, registration } from './members.ts';

const READY = '{"status":"ready","reasons":[]}';

it('/healthz and /readyz answer GET and HEAD on both ports, with or without a query', async (t) => {
  const service = await startTestService(t);
  for (const url of [service.url, service.running.metricsUrl]) {
    for (const [path, body] of [
      ['/healthz', '{"status":"alive"}'],
      ['/healthz?probe=1', '{"status":"alive"}'],
      ['/readyz', READY],
    ] as const) {
      const got = await send(url, { method: 'GET', path });
      assert.deepEqual([got.status, got.contentType, got.body], [200, 'application/json', body]);
      const head = await send(url, { method: 'HEAD', path });
      assert.deepEqual(
        [head.status, head.headers['content-length'], head.body],
        [200, String(body.length), ''],
      );
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await send(url, { method, path: '/healthz' });
      assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET, HEAD'], method);
      assert.equal(answer.body, `{"detail":"Method \\"${method}\\" not allowed."}`);
    }
  }
});

it('while the service stops it is alive but not ready, takes no new call and hears the answers it waits for', async (t) => {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: '60000', SHUTDOWN_GRACE: '60000' },
  });
  const phone = await service.phone({ silent: true });
  const typed = asForm({ sip_user_id: String(phone.account), phonenumber: '020' });
  const last = asForm({ sip_user_id: String(phone.account), phonenumber: '020', call_id: 'last' });
  const waiting = send(service.url, { path: '/api/incoming-call/', ...last });
  await until(() => phone.pushes() === 1, 'the phone is pushed');
  const stopped = service.running.stop();
  const ready = await send(service.url, { method: 'GET', path: '/readyz' });
  assert.deepEqual([ready.status, ready.contentType], [503, 'application/json']);
  assert.equal(ready.body, '{"status":"not ready","reasons":["stopping"]}');
  assert.equal((await send(service.url, { method: 'GET', path: '/healthz' })).status, 200);
  const refused = await send(service.url, { path: '/api/incoming-call/', ...typed });
  assert.deepEqual([refused.status, refused.body], [503, 'status=NAK']);
  assert.equal(refused.contentType, 'text/plain; charset=utf-8');
  assert.equal(refused.headers['x-wake-outcome'], 'shutting-down');
  assert.equal(refused.headers.connection, 'close');
  const invalid = await send(service.url, { path: '/api/incoming-call/', ...asForm({}) });
  assert.equal(invalid.status, 400, 'what makes no sense is told first');
  const answer = asForm({ unique_key: 'last', available: 'true', message_start_time: '1' });
  assert.equal((await send(service.url, { path: '/api/call-response/', ...answer })).status, 202);
  const rung = await waiting;
  assert.equal(rung.body, 'status=ACK');
  assert.equal(rung.headers.connection, 'close', 'the next call of this PBX goes elsewhere');
  await stopped;
});

it('while another program holds the database, registrations are 503 and calls go on', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '30000' } });
  const phone = await service.phone();
  const member = addMember(service);
  const headers = { authorization: member.basic };
  const ask = (method: string, path: string) =>
    send(service.url, { method, path, ...asJson(registration(member)), headers });
  const other = new DatabaseSync(service.databaseUrl.slice('sqlite:'.length));
  t.after(() => other.close());
  other.exec('begin immediate');
  const answer = await ask('POST', '/api/android-device/');
  assert.deepEqual([answer.status, answer.contentType], [503, 'application/json']);
  assert.equal(answer.body, '{"detail":"Service temporarily unavailable, try again later."}');
  assert.equal(answer.headers['www-authenticate'], undefined);
  assert.equal((await service.ask({ account: phone.account })).body, 'status=ACK');
  other.exec('rollback');
  assert.equal((await ask('POST', '/api/android-device/')).status, 201);
  assert.ok((await service.metric('vialer_middleware_storage_failures_total')) >= 1);
});

/** The listeners alone, so that the database behind the probe can be one that does not answer. */
async function startListeners(t: TestContext, database: Database, read: () => Promise<void>) {
  const env = { PORT: '0', PROMETHEUS_PORT: '0' };
  const { config } = readConfig({ env, readFile: () => '', openFiles: 20_000 });
  assert.ok(config);
  const never = (): never => {
    throw new Error('no request of this test gets that far');
  };
  const telemetry = idleTelemetry();
  const readiness = createReadiness({
    database,
    poolSize: 1,
    probe: { read, change: never },
    holdsDevices: () => false,
    bus: { degraded: () => [], notReady: () => [] },
    isStopping: () => false,
    isOverloaded: () => false,
    apps: () => undefined,
    events: { ...telemetry.readiness, databaseHealth: telemetry.databaseHealth },
  });
  const servers = createHttpServers(config, {
    devices: createDeviceStore(database),
    telemetry,
    isDraining: () => false,
    readiness: readiness.look,
    takeCall: never,
    cancelCall: never,
    answerProof: undefined,
    limits: NO_LIMITS,
    answer: never,
    register: never,
  });
  t.after(() => servers.close(1_000));
  return servers.listen();
}

it('a database that cannot be asked, or does not answer, makes the service not ready', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const database = await openDatabase(`sqlite:${join(folder, 'test.db')}`);
  await migrate(database);
  const { read } = createDeviceProbe(database);
  await read();
  await database.close();
  const silent = new Promise<void>(() => {});
  for (const [probe, why] of [
    [read, ': the database was closed'],
    [() => silent, ': the database did not answer in time'],
  ] as const) {
    const { url, metricsUrl } = await startListeners(t, database, probe);
    for (const origin of [url, metricsUrl]) {
      const ready = await send(origin, { method: 'GET', path: '/readyz' });
      assert.deepEqual([ready.status, ready.contentType], [503, 'application/json']);
      assert.equal(ready.body, `{"status":"not ready","reasons":["the database does not answer${why}"]}`);
      assert.equal((await send(origin, { method: 'GET', path: '/healthz' })).status, 200);
    }
    const metrics = await send(metricsUrl, { method: 'GET', path: '/metrics' });
    assert.match(metrics.body, /^mysql_health 0$/m);
  }
});
