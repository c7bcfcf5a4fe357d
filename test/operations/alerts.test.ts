import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { parseSeries } from '../helpers/parse-series.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';

async function scrape(service: TestService): Promise<string> {
  return (await fetch(`${service.running.metricsUrl}/metrics`)).text();
}

/** What a program that is not there answers with. */
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
if (!hasPromtool && process.env['CI'] === 'true')
  throw new Error('promtool is missing: apt-get install prometheus');

describe('what alerts are made of', () => {
  it('every counter of the service has its label sets before the first event', async (t) => {
    const service = await startTestService(t);
    const series = parseSeries(await scrape(service));
    const zeros = new Set(series.filter(({ value }) => value === 0).map(({ text }) => text));
    for (const wanted of [
      'calls_total{app="none",outcome="storage-unavailable",platform="none"}',
      'calls_total{app="com.example.phone",outcome="provider-down",platform="apns"}',
      'calls_total{app="com.example.phone",outcome="timed-out",platform="android"}',
      'faults_total{app="com.example.phone",platform="apns",reason="BadCertificate"}',
      'faults_total{app="com.example.phone",platform="android",reason="oauth-invalid-grant"}',
      'pushes_total{app="com.example.phone",provider="apns",reason="Unregistered"}',
      'tokens_dropped_total{app="com.example.phone",provider="fcm",reason="UNREGISTERED"}',
      'tokens_kept_total{app="com.example.phone",because="setup-fault",provider="apns"}',
      'requests_failed_total{endpoint="incoming-call"}',
      'requests_refused_total{endpoint="pbx",why="token"}',
      'requests_refused_total{endpoint="apns-device",why="platform-down"}',
      'requests_invalid_total{endpoint="call-response",field="unique_key"}',
      'platform_api_failures_total{reason="timeout"}',
      'oauth_failures_total{reason="oauth-timeout"}',
      'tls_reloads_total{result="failed"}',
      'tls_client_errors_total{why="plain-http"}',
      'tls_client_errors_total{why="not-tls"}',
      'redis_faults_total{reason="unreachable"}',
      'answers_total{fate="unproven"}',
      'registrations_total{platform="gcm",result="not-found"}',
      'push_answer_seconds_count{platform="android"}',
      'request_answer_seconds_count{outcome="provider-down"}',
    ]) {
      const sorted = sortLabels(`vialer_middleware_${wanted}`);
      assert.ok(
        [...zeros].some((text) => sortLabels(text) === sorted),
        `no 0 for ${wanted}`,
      );
    }
    const bare = series.filter(({ name }) => name.endsWith('_total')).map(({ name }) => name);
    for (const line of (await scrape(service)).matchAll(/^# TYPE (vialer_middleware_\w+_total) counter$/gm))
      assert.ok(bare.includes(line[1] ?? ''), `${line[1]} has no series at start`);
  });

  it('the first event of each kind moves a series that was there: none is new', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone({ kind: 'ios' });
    const before = new Set(parseSeries(await scrape(service)).map(({ text }) => text));
    await service.ask({ account: phone.account });
    await service.ask({ account: phone.account + 1 });
    service.world.apple.script({ kind: 'answer', status: 403, reason: 'InvalidProviderToken' }, { times: 3 });
    await service.ask({ account: phone.account });
    service.world.apple.clearFaults();
    await fetch(`${service.url}/api/incoming-call/`, { method: 'POST', body: 'x' });
    await fetch(`${service.url}/api/check-in/`, { method: 'POST', body: 'sip_user_id=1' });
    const after = parseSeries(await scrape(service)).filter(({ name }) => name.endsWith('_total'));
    const isNew = after.filter(({ text }) => !before.has(text) && text.startsWith('vialer_middleware_'));
    assert.deepEqual(
      isNew.map(({ text }) => text),
      [],
    );
  });

  it('no figure is NaN or endless: fresh, scraped at once again, idle', async (t) => {
    const service = await startTestService(t);
    for (let times = 0; times < 5; times += 1)
      for (const { text, value } of parseSeries(await scrape(service)))
        assert.ok(Number.isFinite(value) && value < 1e15, `${text} is ${value}`);
  });

  it('promtool finds nothing to say', { skip: !hasPromtool && 'promtool is not installed' }, async (t) => {
    const service = await startTestService(t);
    const { account } = await service.phone();
    await service.ask({ account });
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await scrape(service),
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });

  it('each limit stands beside what it limits', async (t) => {
    const service = await startTestService(t, {
      settings: {
        MAX_WAITING_CALLS: '70',
        MAX_CONNECTIONS: '300',
        MAX_PUSHES_IN_FLIGHT: '90',
        EVENT_LOOP_LIMIT: '400',
      },
    });
    const { account } = await service.phone({ silent: true });
    const call = service.ask({ account });
    await until(() => service.running.waiting() === 1, 'the call waits');
    const figures = new Map(parseSeries(await scrape(service)).map(({ text, value }) => [text, value]));
    const figure = (name: string) => figures.get(`vialer_middleware_${name}`);
    assert.equal(figure('calls_waiting'), 1);
    assert.equal(figure('calls_waiting_limit'), 70);
    assert.equal(figure('connections_limit'), 300);
    assert.ok((figure('connections') ?? 0) >= 1);
    assert.equal(figure('pushes_in_flight_limit'), 90);
    assert.notEqual(figure('pushes_in_flight{app="com.example.phone",platform="android"}'), undefined);
    assert.equal(figure('event_loop_delay_limit_seconds'), 0.4);
    assert.ok((figures.get('process_open_fds') ?? 0) > 0 && (figures.get('process_max_fds') ?? 0) > 0);
    await call;
  });

  it('devices are counted by app and platform, and a database that is gone delays no scrape', async (t) => {
    const service = await startTestService(t);
    const android = 'vialer_middleware_devices{app="com.example.phone",platform="android"}';
    await until(
      async () => parseSeries(await scrape(service)).some(({ text }) => text === android),
      'it is counted',
    );
    assert.equal(await service.metric(android), 0);
    const other = new DatabaseSync(service.databaseUrl.slice('sqlite:'.length));
    t.after(() => other.close());
    other.exec('drop table devices');
    const began = performance.now();
    await scrape(service);
    assert.ok(performance.now() - began < 5_000);
    assert.equal(await service.metric(android), 0);
  });
});

/** The same text for a series however its labels are ordered. */
function sortLabels(text: string): string {
  const [, name = text, labels = ''] = /^(\w+)\{(.*)\}$/.exec(text) ?? [];
  return `${name}{${labels.split(',').toSorted().join(',')}}`;
}
