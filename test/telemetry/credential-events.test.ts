import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { APP, type Line, recordedTelemetry } from './recorded.ts';

const DAY_MS = 86_400_000;

type Problem = Parameters<Telemetry['credentialsUnreadable']>[0][number]['error']['problem'];

describe('what expires', () => {
  const expiring = (days: number) => Date.now() + days * DAY_MS + 60_000;
  const rows = [
    [31, undefined, undefined],
    [30, undefined, undefined],
    [29, 'warn', 29],
    [7, 'warn', 7],
    [6, 'error', 6],
    [0, 'error', 0],
    [-1, 'error', -1],
  ] as const;

  for (const [days, level, daysLeft] of rows) {
    it(`in ${days} days: ${level ?? 'not spoken of'}`, async (t) => {
      const { telemetry, lines, moves } = await recordedTelemetry(t);
      const expiresAt = expiring(days);
      telemetry.appsKnown([{ appId: APP, platform: 'apns', expiresAt }]);
      telemetry.tls.certificatesKnown([{ setting: 'TLS_CERT_FILE', expiresAt }]);
      const tlsMessage = days < 0 ? 'a TLS certificate has expired' : 'a TLS certificate expires soon';
      const expected: readonly Line[] =
        level === undefined
          ? []
          : [
              [level, 'the credential of an app expires soon', { app: APP, platform: 'apns', daysLeft }],
              [level, tlsMessage, { setting: 'TLS_CERT_FILE', daysLeft }],
            ];
      assert.deepEqual(lines(), expected);
      const seconds = Math.floor(expiresAt / 1_000);
      assert.deepEqual(await moves(), {
        [`credential_expiry_timestamp_seconds{app="${APP}",platform="apns"}`]: seconds,
        'tls_certificate_expiry_timestamp_seconds{setting="TLS_CERT_FILE"}': seconds,
      });
    });
  }

  it('is told of the apps as they are now', async (t) => {
    const { telemetry, moves } = await recordedTelemetry(t);
    telemetry.appsKnown([{ appId: APP, platform: 'apns', expiresAt: expiring(100) }]);
    await moves();
    telemetry.appsKnown([{ appId: APP, platform: 'apns', expiresAt: undefined }]);
    assert.doesNotMatch(await telemetry.readMetrics(), /credential_expiry_timestamp_seconds\{/);
  });
});

describe('a stored credential that cannot be read', () => {
  const owner = { platform: 'apns', appId: APP } as const;
  const told: readonly (readonly [string, Problem, object])[] = [
    [
      'key-missing',
      { kind: 'key-missing', keyId: 'k1', configured: ['k2', 'k3'] },
      { keyId: 'k1', configured: 'k2, k3' },
    ],
    ['damaged', { kind: 'damaged', keyId: 'k1' }, { keyId: 'k1' }],
    ['unknown-format', { kind: 'unknown-format' }, {}],
  ];
  for (const [problem, given, fields] of told) {
    for (const kept of [true, false]) {
      it(`${problem}: an error, and the metric until it can be (kept: ${kept})`, async (t) => {
        const { telemetry, lines, moves } = await recordedTelemetry(t);
        telemetry.credentialsUnreadable([{ error: { owner, problem: given }, kept }]);
        const effect = kept
          ? 'its phones are woken with the one that was read last until this service restarts'
          : 'its phones cannot be woken';
        assert.deepEqual(lines(), [
          [
            'error',
            `the stored credential of an app cannot be read: ${effect}`,
            { app: APP, platform: 'apns', problem, ...fields },
          ],
        ]);
        const series = `credentials_unreadable{app="${APP}",platform="apns"}`;
        assert.deepEqual(await moves(), { [series]: 1 });
        telemetry.credentialsUnreadable([]);
        assert.doesNotMatch(await telemetry.readMetrics(), /credentials_unreadable\{/);
        assert.deepEqual(lines(), []);
      });
    }
  }
});
