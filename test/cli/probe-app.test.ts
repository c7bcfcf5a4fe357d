import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { App } from '../../src/apps/app.ts';
import { probeApp } from '../../src/cli/apps/probe-app.ts';
import type { DirectPush } from '../../src/cli/devices/direct-pusher.ts';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { appleKey } from './test-credentials.ts';

const APP: App = {
  key: 1,
  platform: 'apns',
  appId: 'com.example.phone',
  credential: { kind: 'apns-key', keyId: 'ABCDE12345', teamId: 'FGHIJ67890', privateKey: appleKey() },
  revision: 1,
};
const DAY_MS = 86_400_000;

function answering(verdict: DirectPush['verdict'], reason: string, connectError?: string) {
  return {
    push: async (): Promise<DirectPush> => ({
      verdict,
      reason,
      detail: undefined,
      connectMs: undefined,
      credentialMs: undefined,
      pushMs: 1,
      tookMs: 1,
      connectError,
    }),
  };
}

describe('what the answer to a probe says of the credential', () => {
  const cases = [
    ['accepted', 'Accepted', 'ok', /accepted/],
    ['token-dead', 'Unregistered', 'ok', /accepted/],
    ['token-suspect', 'BadDeviceToken', 'ok', /accepted/],
    ['our-fault', 'INVALID_ARGUMENT', 'ok', /accepted/],
    ['our-fault', 'TopicDisallowed', 'failed', /may not push calls for com\.example\.phone/],
    ['our-fault', 'Other', 'failed', /refuses the push/],
    ['app-fault', 'InvalidProviderToken', 'failed', /refused: add the app again/],
    [
      'app-fault',
      'BadCertificateEnvironment',
      'failed',
      /not for Apple's production servers.*with --sandbox/,
    ],
    ['app-fault', 'certificate-expired', 'failed', /refused: add the app again/],
    ['throttled', 'TooManyProviderTokenUpdates', 'unclear', /try again in 20 minutes/],
    ['unavailable', 'ServiceUnavailable', 'unclear', /gave no verdict/],
    ['not-sent', 'credential-unusable', 'failed', /add the app again/],
  ] as const;
  for (const [verdict, reason, status, explanation] of cases) {
    it(`${verdict}, ${reason}: ${status}`, async () => {
      const options = { pusher: answering(verdict, reason), sandbox: false, now: Date.now() };
      const probed = await probeApp(APP, options);
      assert.deepEqual([probed.status, probed.said], [status, reason]);
      assert.match(probed.explanation, explanation);
    });
  }

  it('a connection that could not be made is the explanation', async () => {
    const pusher = answering('unavailable', 'unreachable', 'cannot connect to https://push.example.org');
    const probed = await probeApp(APP, { pusher, sandbox: false, now: Date.now() });
    assert.deepEqual(
      [probed.status, probed.explanation],
      ['unclear', 'cannot connect to https://push.example.org'],
    );
  });

  it('a certificate that has expired since it was added fails without a question', async () => {
    const { certificate, privateKey } = createThrowAwayCa().issueClient({
      commonName: APP.appId,
      notAfter: new Date(Date.now() + DAY_MS),
    });
    const app: App = { ...APP, credential: { kind: 'apns-certificate', certificate, privateKey } };
    const pusher = { push: () => assert.fail('asked') };
    const probed = await probeApp(app, { pusher, sandbox: false, now: Date.now() + 2 * DAY_MS });
    assert.deepEqual([probed.status, probed.said], ['failed', null]);
    assert.match(probed.explanation, /^the certificate expired on/);
  });
});
