import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import { createAppStore } from '../../src/apps/app-store.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';

async function scrape(service: TestService): Promise<string> {
  return (await fetch(`${service.running.metricsUrl}/metrics`)).text();
}

async function report(
  service: TestService,
  account: number,
  authorization: string,
  body: object,
): Promise<number> {
  const response = await fetch(`${service.url}/api/log-metrics/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ sip_user_id: account, ...body }),
  });
  return response.status;
}

function reporter(service: TestService, account: number) {
  return service.world.platform.addUser({
    account,
    user: `u${account}@example.com`,
    password: 'p',
    token: 't',
  }).token;
}

describe('metrics', () => {
  it('a call moves the counters and histograms of each of its steps', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone({ kind: 'ios' });
    await service.ask({ account: phone.account });
    // The app can be faster than Apple's acceptance, and the PBX than the count of its answer.
    for (const late of ['push_accepted_seconds_count{provider="apns"}', 'pbx_answer_delay_seconds_count'])
      await until(async () => (await service.metric(`vialer_middleware_${late}`)) === 1, `${late} is 1`);
    const text = await scrape(service);
    for (const line of [
      'vialer_middleware_calls_total{app="com.example.phone",outcome="ready",platform="apns"} 1',
      'vialer_middleware_calls_waiting 0',
      'vialer_middleware_answers_total{fate="taken"} 1',
      'vialer_middleware_push_accepted_seconds_count{provider="apns"} 1',
      'vialer_middleware_push_answer_seconds_count{platform="apns"} 1',
      'vialer_middleware_request_answer_seconds_count{outcome="ready"} 1',
      'vialer_middleware_pbx_answer_delay_seconds_count 1',
      'vialer_middleware_registrations_total{platform="apns",result="created"} 1',
      'vialer_middleware_push_notification_success_total{direction="Incoming",os="apns"} 1',
      'vialer_middleware_incoming_call_success_total{action="Received",os="Middleware"} 1',
      'mysql_health 1',
      'docker_tag{docker_tag="Unknown"} 1',
    ]) {
      assert.ok(text.includes(`${line}\n`), `missing: ${line}`);
    }
    assert.match(
      text,
      /vialer_middleware_pushes_total\{app="com.example.phone",provider="apns",reason="[A-Za-z-]+"\} 1\n/,
    );
    assert.match(text, /^process_cpu_seconds_total /m);
  });

  it('the lag of the event loop includes the 50 ms between two samples, as the docs say', async (t) => {
    const service = await startTestService(t);
    await until(async () => {
      // Nothing is known before two samples.
      await delay(300);
      const seconds = await service.metric('nodejs_eventloop_lag_p50_seconds');
      return seconds > 0.04 && seconds < 0.06;
    }, 'the median lag is about 50 ms');
  });

  it('calls_waiting counts the calls that wait', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone({ silent: true });
    const waiting = service.ask({ account: phone.account });
    await until(() => service.running.waiting() === 1, 'the call waits');
    assert.equal(await service.metric('vialer_middleware_calls_waiting'), 1);
    await waiting;
  });

  it("an app's report is counted under the reference's name and labels", async (t) => {
    const service = await startTestService(t);
    const authorization = reporter(service, 300_000_001);
    const base = {
      app_version: '6.0',
      os: 'iOS',
      os_version: '13',
      network: 'WiFi',
      network_operator: 'KPN',
      connection_type: 'TLS',
      direction: 'Incoming',
    };
    const send = (body: object) => report(service, 300_000_001, authorization, { ...base, ...body });
    assert.equal(await send({ call_setup_successful: 'true', codec: 'OPUS', mos: '4.50' }), 200);
    assert.equal(await send({ call_setup_successful: 'false', failed_reason: null }), 200);
    assert.equal(await send({ hangup_reason: 'REMOTE', network: '4G' }), 200);
    const labels = (network: string, operator: string) =>
      `app_version="6.0",connection_type="TLS",direction="Incoming",network="${network}",network_operator="${operator}",os="iOS",os_version="13"`;
    const text = await scrape(service);
    for (const line of [
      `vialer_call_success_total{${labels('WiFi', '')},codec="OPUS",mos="4.50"} 1`,
      `vialer_call_failure_total{${labels('WiFi', '')},failed_reason="None"} 1`,
      `vialer_hangup_reason_total{${labels('4G', 'KPN')},hangup_reason="REMOTE"} 1`,
    ]) {
      assert.ok(text.includes(`${line}\n`), `missing: ${line}`);
    }
  });

  it('what apps report cannot make the number of series grow without end', async (t) => {
    const service = await startTestService(t);
    const account = 300_000_002;
    const authorization = reporter(service, account);
    for (let batch = 0; batch < 12; batch += 1) {
      const all = Array.from({ length: 100 }, (_, index) =>
        report(service, account, authorization, {
          hangup_reason: `reason ${batch}-${index} ${'x'.repeat(500)}`,
        }),
      );
      assert.deepEqual(new Set(await Promise.all(all)), new Set([200]));
    }
    const series = (await scrape(service))
      .split('\n')
      .filter((line) => line.startsWith('vialer_hangup_reason_total{'));
    assert.equal(series.length, 1_001);
    const other = series.find((line) => line.includes('hangup_reason="other"'));
    assert.match(other ?? '', / 200$/);
    assert.ok(series.every((line) => line.length < 400));
  });

  it("a certificate's expiry is told before it costs calls", async (t) => {
    const service = await startTestService(t);
    const notAfter = new Date(Date.now() + 3 * 86_400_000);
    const issued = service.world.ca.issueClient({ commonName: 'com.example.cert', notAfter });
    const database = await openDatabase(service.databaseUrl);
    t.after(() => database.close());
    await migrate(database);
    const credential = { kind: 'apns-certificate', ...issued } as const;
    await createAppStore(database, PLAIN_VAULT).save(
      { platform: 'apns', appId: 'com.example.cert', credential },
      Date.now(),
    );
    await service.running.refreshApps();
    const seconds = await service.metric(
      'vialer_middleware_credential_expiry_timestamp_seconds{app="com.example.cert",platform="apns"}',
    );
    assert.equal(seconds, Math.floor(notAfter.getTime() / 1000));
    const warned = service.logged.find((line) => line.message === 'the credential of an app expires soon');
    assert.equal(warned?.level, 'error');
    assert.equal(warned?.fields['app'], 'com.example.cert');
  });

  it('another process that writes to the database does not make the service unready', async (t) => {
    const service = await startTestService(t);
    const path = service.databaseUrl.slice('sqlite:'.length);
    const other = new DatabaseSync(path);
    t.after(() => other.close());
    other.exec('begin immediate');
    // Reading goes on beside a writer: the service is ready.
    assert.equal((await fetch(`${service.url}/readyz`)).status, 200);
    assert.equal(await service.metric('mysql_health'), 1);
    other.exec('rollback');
  });

  it('a database without its tables shows in /readyz and mysql_health', async (t) => {
    const service = await startTestService(t);
    const other = new DatabaseSync(service.databaseUrl.slice('sqlite:'.length));
    other.exec('drop table devices');
    other.close();
    const ready = await fetch(`${service.url}/readyz`);
    assert.equal(ready.status, 503);
    assert.deepEqual(await ready.json(), {
      status: 'not ready',
      reasons: ['the database answers with an error, see the log for its words'],
    });
    assert.equal(await service.metric('mysql_health'), 0);
  });

  it('the metrics port has the health routes as well', async (t) => {
    const service = await startTestService(t);
    for (const path of ['/healthz', '/readyz']) {
      assert.equal((await fetch(`${service.running.metricsUrl}${path}`)).status, 200);
    }
    assert.equal((await fetch(`${service.running.metricsUrl}/`)).status, 200);
  });
});
