import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import {
  dataText,
  headers6,
  okHttpSuccess,
  registration6,
  VIALER_ANDROID_6,
} from '../helpers/android-apps.ts';
import { gsonJson } from '../helpers/client-encodings.ts';
import { type ClientPhone, firstPush, type PushPayload, startClientScene } from '../helpers/client-scene.ts';
import { parseInt32, parseInt64, plainDecimal } from '../helpers/java-numbers.ts';
import type { RawRequest } from '../helpers/raw-http.ts';
import { replayClient } from '../helpers/replay-client.ts';

/** `VialerStatistics`: a map of strings, in the order in which it fills it. */
function logMetrics(phone: ClientPhone, values: Readonly<Record<string, string | null>>): RawRequest {
  return {
    line: 'POST /api/log-metrics/',
    headers: headers6(phone.token, 'application/json; charset=UTF-8'),
    body: gsonJson({
      os: 'Android',
      os_version: '9',
      app_version: '6.4.3',
      app_status: 'Production',
      network: 'WiFi',
      device_manufacturer: 'samsung',
      device_model: "sm-g975f 'x' <=",
      client_country: 'NL',
      sip_user_id: String(phone.account),
      log_id: 'a1B2c3D4e5',
      ...values,
    }),
  };
}

/** What it reports of every push that it gets, before it looks at what kind of push it is. */
function pushReport(phone: ClientPhone, push: PushPayload): RawRequest {
  const startTime = dataText(push, 'message_start_time');
  const sentAt =
    startTime === undefined ? 0n : parseInt64(plainDecimal(startTime).replaceAll('.', '')) / 10_000n;
  return logMetrics(phone, {
    middleware_unique_key: dataText(push, 'unique_key') ?? null,
    time_to_initial_response: startTime === undefined ? '0' : String(Date.now() - Number(sentAt)),
    attempt: dataText(push, 'attempt') ?? null,
  });
}

const LABELS = [
  'app_version="6.4.3"',
  'connection_type="TLS"',
  'direction="incoming"',
  'network="WiFi"',
  'network_operator=""',
  'os="Android"',
  'os_version="9"',
].join(',');

const CALL_VALUES = { call_id: '77f0a@10.0.0.1', direction: 'incoming', connection_type: 'TLS', codec: null };

it('vialer-android 5.4 to 6.4.3 is served unmodified', async (t) => {
  const scene = await startClientScene(t, [VIALER_ANDROID_6]);
  await replayClient(t, scene, VIALER_ANDROID_6);

  await t.test('it registers without its logging id as well, which Retrofit then leaves out', async () => {
    const phone = scene.newPhone(VIALER_ANDROID_6);
    const request = registration6(phone, undefined);
    assert.ok(!String(request.body).includes('remote_logging_id'));
    okHttpSuccess(await scene.send(request));
  });

  await t.test(
    'it reports each push, and a call, and Prometheus shows what the reference showed',
    async () => {
      const phone = scene.newPhone(VIALER_ANDROID_6);
      await scene.send(VIALER_ANDROID_6.register(phone));
      const pushes = scene.pushesTo(phone.pushToken);
      const ringing = scene.ask({ account: phone.account });
      const push = await firstPush(pushes);
      const report = pushReport(phone, push);
      const tookMs = Number(/"time_to_initial_response":"(-?\d+)"/.exec(String(report.body))?.[1]);
      assert.ok(Math.abs(tookMs) < 60_000, `the app reports that its push took ${tookMs} ms`);
      const reports = [
        report,
        logMetrics(phone, { ...CALL_VALUES, bluetooth_audio: 'no', call_setup_successful: 'true' }),
        logMetrics(phone, {
          ...CALL_VALUES,
          call_setup_successful: 'false',
          failed_reason: 'OK_MIDDLEWARE_NO_CALL',
        }),
        logMetrics(phone, { ...CALL_VALUES, mos: '4.4', hangup_reason: 'REMOTE', call_duration: '61000' }),
        pushReport(phone, { type: 'message', message: 'An other device' }),
      ];
      for (const request of reports) {
        const answer = await scene.send(request);
        okHttpSuccess(answer);
        assert.deepEqual(
          [answer.status, answer.body, answer.headers.get('content-type')],
          [200, '', undefined],
        );
      }
      const reading = VIALER_ANDROID_6.read(push, `${scene.url}/api/call-response/`);
      await scene.send(VIALER_ANDROID_6.answer(phone, reading, true));
      await ringing;
      const counted = {
        [`vialer_call_success_total{${LABELS},codec="None",mos="None"}`]: 1,
        [`vialer_call_failure_total{${LABELS},failed_reason="OK_MIDDLEWARE_NO_CALL"}`]: 1,
        [`vialer_hangup_reason_total{${LABELS},hangup_reason="REMOTE"}`]: 1,
      };
      for (const [series, value] of Object.entries(counted))
        assert.equal(await scene.metric(series), value, series);
    },
  );

  await t.test('its report with a dead credential is 401, with the platform away 503', async () => {
    const phone = scene.newPhone(VIALER_ANDROID_6);
    const wrong = logMetrics({ ...phone, token: 'Token somebody@example.com:else' }, {});
    assert.equal((await scene.send(wrong)).status, 401);
    scene.world.platform.script({ kind: 'answer', status: 502 }, { times: 1 });
    assert.equal((await scene.send(logMetrics(phone, {}))).status, 503);
  });
});

it('vialer-android 6 without network counts attempts up to the eighth', async (t) => {
  const scene = await startClientScene(t, [VIALER_ANDROID_6], {
    APP_PUSH_ROUNDTRIP_WAIT: '5400',
    APP_PUSH_RESEND_INTERVAL: '600',
  });
  const phone = scene.newPhone(VIALER_ANDROID_6);
  await scene.send(VIALER_ANDROID_6.register(phone));
  const pushes = scene.pushesTo(phone.pushToken);
  const ringing = scene.ask({ account: phone.account });
  await until(() => pushes.length === 8, 'all pushes have arrived');
  const attempts = pushes.map((push) => parseInt32(dataText(push, 'attempt') ?? ''));
  assert.deepEqual(attempts, [1, 2, 3, 4, 5, 6, 7, 8]);
  const sentAt = pushes.map((push) => Number(dataText(push, 'message_start_time')));
  for (const [index, at] of sentAt.slice(1).entries()) {
    assert.ok(at > (sentAt[index] ?? 0), 'each push has a later start time');
  }
  const eighth = pushes[7] ?? {};
  const reading = {
    ...VIALER_ANDROID_6.read({ ...eighth, attempt: '1' }, `${scene.url}/api/call-response/`),
  };
  const answer = await scene.send(VIALER_ANDROID_6.answer(phone, reading, false));
  assert.ok(answer.status === 202 || answer.status === 404, `the eighth push's answer got ${answer.status}`);
  const heard = await ringing;
  assert.equal(heard.body, 'status=NAK');
  assert.equal(
    heard.outcome,
    answer.status === 202 ? 'declined' : 'timed-out',
    'app and PBX believe the same',
  );
});
