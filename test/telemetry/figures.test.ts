import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { idleTelemetry } from '../helpers/idle-telemetry.ts';
import { parseSeries } from '../helpers/parse-series.ts';
import { recordedTelemetry } from './recorded.ts';

async function figures(options: Parameters<typeof idleTelemetry>[0]): Promise<Map<string, number>> {
  const text = await idleTelemetry(options).readMetrics();
  return new Map(parseSeries(text).map((each) => [each.text.replace('vialer_middleware_', ''), each.value]));
}

it('each figure is its own, and its limit the one that was set', async () => {
  const found = await figures({
    load: {
      callsWaiting: () => 11,
      connections: async () => 12,
      pushesInFlight: () => [
        { appId: 'a', platform: 'apns', inFlight: 13 },
        { appId: 'a', platform: 'apns', inFlight: 1 },
        { appId: 'b', platform: 'android', inFlight: 15 },
      ],
      loop: { delayMs: 160, late: true },
    },
    limits: { callsWaiting: 21, connections: 22, pushesInFlight: 23, loopDelayMs: 240 },
    dockerTag: '1.2.3',
  });
  for (const [name, value] of [
    ['calls_waiting', 11],
    ['calls_waiting_limit', 21],
    ['connections', 12],
    ['connections_limit', 22],
    ['pushes_in_flight{app="a",platform="apns"}', 14],
    ['pushes_in_flight{app="b",platform="android"}', 15],
    ['pushes_in_flight_limit', 23],
    ['event_loop_delay_seconds', 0.16],
    ['event_loop_delay_limit_seconds', 0.24],
    ['shedding', 1],
    ['docker_tag{docker_tag="1.2.3"}', 1],
  ] as const)
    assert.equal(found.get(name), value, name);
});

it('the help of each limit names its setting', async () => {
  const text = await idleTelemetry().readMetrics();
  for (const [name, setting] of [
    ['calls_waiting_limit', 'MAX_WAITING_CALLS'],
    ['connections_limit', 'MAX_CONNECTIONS'],
    ['pushes_in_flight_limit', 'MAX_PUSHES_IN_FLIGHT'],
    ['event_loop_delay_limit_seconds', 'EVENT_LOOP_LIMIT'],
  ])
    assert.match(text, new RegExp(`^# HELP vialer_middleware_${name} The setting ${setting}\\b`, 'm'));
});

it('a Redis that is not used is healthy, one that is used is so when it says so', async () => {
  for (const [usesRedis, health] of [
    [false, 1],
    [true, 0],
  ] as const)
    assert.equal((await figures({ usesRedis })).get('redis_health'), health);
  assert.equal((await figures({})).get('shedding'), 0);
});

it('apps that have no more pushes in flight are not shown any more', async () => {
  let inFlight = [{ appId: 'a', platform: 'apns', inFlight: 1 }];
  const telemetry = idleTelemetry({
    load: {
      callsWaiting: () => 0,
      connections: async () => 0,
      pushesInFlight: () => inFlight,
      loop: { delayMs: 0, late: false },
    },
  });
  assert.match(await telemetry.readMetrics(), /pushes_in_flight\{/);
  inFlight = [];
  assert.doesNotMatch(await telemetry.readMetrics(), /pushes_in_flight\{/);
});

describe('what an app reports of a call', () => {
  const base = {
    app_version: '6.0',
    connection_type: 'TLS',
    direction: 'Incoming',
    network: '4G',
    network_operator: 'KPN',
    os: 'iOS',
    os_version: '13',
  };
  const labels = (more: Readonly<Record<string, string>>, name: string) =>
    `${name}{${Object.entries({ ...base, ...more })
      .map(([label, value]) => `${label}="${value}"`)
      .join(',')}}`;
  const success = (more: Readonly<Record<string, string>> = {}) =>
    labels({ ...more, codec: 'OPUS', mos: '4.5' }, 'vialer_call_success_total');
  const rows = [
    ['a success', { call_setup_successful: 'true', codec: 'OPUS', mos: 4.5 }, success()],
    [
      'a success over WiFi, whose operator is not told',
      { call_setup_successful: 'true', codec: 'OPUS', mos: 4.5, network: 'WIFI' },
      success({ network: 'WIFI', network_operator: '' }),
    ],
    [
      'a network that is no text',
      { call_setup_successful: 'true', codec: 'OPUS', mos: 4.5, network: null },
      success({ network: 'None' }),
    ],
    [
      'a failure',
      { call_setup_successful: 'false', failed_reason: 'x' },
      labels({ failed_reason: 'x' }, 'vialer_call_failure_total'),
    ],
    [
      'a hangup, whatever else it says',
      { call_setup_successful: 'true', hangup_reason: 'y' },
      labels({ hangup_reason: 'y' }, 'vialer_hangup_reason_total'),
    ],
    ['neither', {}, undefined],
    ['a success that is no text', { call_setup_successful: true }, undefined],
  ] as const;
  for (const [name, report, series] of rows) {
    it(name, async (t) => {
      const { telemetry, moves } = await recordedTelemetry(t);
      telemetry.http.metricsReported(new Map<string, unknown>(Object.entries({ ...base, ...report })));
      const moved = await moves();
      assert.deepEqual(moved, series === undefined ? {} : { [series]: 1 });
    });
  }
});
