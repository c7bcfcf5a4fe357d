import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';
import { asJson, send } from './http-client.ts';
import { addMember } from './members.ts';

const OPEN = { ACCOUNT_AUTH: 'none', APP_PUSH_ROUNDTRIP_WAIT: '30000' };

async function metricsText(service: TestService): Promise<string> {
  return (await send(service.running.metricsUrl, { method: 'GET', path: '/metrics' })).body;
}

it('row 10: log-metrics takes values of any type, and the metrics go on being served', async (t) => {
  const service = await startTestService(t, { settings: OPEN });
  const odd: readonly unknown[] = [
    null,
    5,
    1e308,
    -0,
    true,
    '',
    'NaN',
    'nan',
    [],
    [['x']],
    {},
    { a: null },
    '\u0000',
    '\ud800',
  ];
  for (const value of odd) {
    for (const kind of [
      { hangup_reason: value },
      { call_setup_successful: 'true' },
      { call_setup_successful: value },
    ]) {
      const report = {
        sip_user_id: newAccount(),
        network: value,
        network_operator: value,
        os: value,
        mos: value,
        codec: value,
        app_version: value,
      };
      const answer = await send(service.url, {
        path: '/api/log-metrics/',
        ...asJson({ ...report, ...kind }),
      });
      assert.deepEqual([answer.status, answer.body], [200, ''], JSON.stringify(value));
    }
  }
  const notJson = await send(service.url, {
    path: '/api/log-metrics/',
    type: 'application/json',
    body: `{"sip_user_id":${newAccount()},"mos":NaN,"hangup_reason":"x"}`,
  });
  assert.equal(notJson.status, 400, 'NaN is no JSON');
  const text = await metricsText(service);
  assert.equal(sumOf(text, 'vialer_hangup_reason_total'), odd.length, 'each report is counted once');
  assert.equal(sumOf(text, 'vialer_call_success_total'), odd.length);
});

it('row 10: reports cannot make series without end, and none is lost or counted twice', async (t) => {
  const service = await startTestService(t, { settings: OPEN });
  const reports = Array.from({ length: 1_100 }, (_, index) => ({
    sip_user_id: newAccount(),
    hangup_reason: 'busy',
    network: `net-${index}`,
  }));
  while (reports.length > 0) {
    const some = reports.splice(0, 50);
    await Promise.all(
      some.map((report) => send(service.url, { path: '/api/log-metrics/', ...asJson(report) })),
    );
  }
  const text = await metricsText(service);
  assert.equal(sumOf(text, 'vialer_hangup_reason_total'), 1_100);
  const series = text.split('\n').filter((line) => line.startsWith('vialer_hangup_reason_total{'));
  assert.ok(series.length <= 1_001, `${series.length} series`);
});

function sumOf(text: string, metric: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${metric}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

it('row 15: the hangup-reason of vialer-ios 5.5 to 5.6.7 is 400, never 401; with an account it is taken', async (t) => {
  const service = await startTestService(t);
  const phone = await service.phone();
  const { basic } = addMember(service, phone.account);
  const hangUp = (fields: unknown) =>
    send(service.url, { path: '/api/hangup-reason/', ...asJson(fields), headers: { authorization: basic } });
  const old = { unique_key: 'k', hangup_reason: 'the user was busy' };
  assert.equal((await hangUp(old)).status, 400);
  assert.equal((await hangUp({ ...old, sip_user_id: phone.account })).status, 200);
  assert.ok(service.logged.some((line) => line.fields['reason'] === 'the user was busy'));
});

it('row 22: a hangup-reason needs no reason', async (t) => {
  const service = await startTestService(t, { settings: OPEN });
  const phone = await service.phone();
  const typed = asJson({ sip_user_id: phone.account, unique_key: 'k' });
  assert.equal((await send(service.url, { path: '/api/hangup-reason/', ...typed })).status, 200);
});
