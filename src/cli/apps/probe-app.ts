import type { App } from '../../apps/app.ts';
import { describeCredential } from '../../apps/credential/describe-credential.ts';
import { readApnsCertificate } from '../../apps/credential/read-apns-certificate.ts';
import { readApnsKey } from '../../apps/credential/read-apns-key.ts';
import { readFcmServiceAccount } from '../../apps/credential/read-fcm-service-account.ts';
import type { Device } from '../../devices/device.ts';
import type { DirectPush, DirectPusher } from '../devices/direct-pusher.ts';

/** What `apps check` found out about an app. */
export interface ProbedApp {
  readonly platform: App['platform'];
  readonly appId: string;
  readonly credential: string;
  /** `unclear`: the push service could not be asked, or said nothing of the credential. */
  readonly status: 'ok' | 'failed' | 'unclear';
  /** The push service's word; null if it was not asked. */
  readonly said: string | null;
  /** The push service's own text, if this service does not know its word. */
  readonly detail: string | null;
  readonly explanation: string;
  readonly notes: readonly string[];
  readonly tookMs: number;
}

/** How the push service is asked. */
export interface ProbeOptions {
  readonly pusher: Pick<DirectPusher, 'push'>;
  /** Apple's sandbox in place of production. */
  readonly sandbox: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Milliseconds within which a push service has to answer the probe. */
const PROBE_LIMIT_MS = 10_000;
/** Apple's tokens are hex, and none is all zeros. */
const NO_IPHONE = '0'.repeat(64);
/** No token of Google's looks like this. */
const NO_ANDROID = 'credential-check:no-phone-has-this-token';

/**
 * Looks at the stored credential, then pushes to a token that no phone can have: a push service looks at the credential
 * first, so its complaint about the token means that the credential is accepted.
 */
export async function probeApp(app: App, options: ProbeOptions): Promise<ProbedApp> {
  const { platform, appId, credential } = app;
  const named = { platform, appId, credential: describeCredential(credential) };
  const rechecked = recheckCredential(app, options.now);
  if ('problem' in rechecked) {
    const explanation = `${rechecked.problem}: add the app again with a good one`;
    return { ...named, status: 'failed', said: null, detail: null, explanation, notes: [], tookMs: 0 };
  }
  const push = await options.pusher.push({
    app,
    device: nobodysDevice(app, options),
    phoneNumber: 'anonymous',
    responseApi: undefined,
    timeoutMs: PROBE_LIMIT_MS,
  });
  const { reason: said, tookMs } = push;
  return {
    ...named,
    ...judge(app, push, options.sandbox),
    said,
    detail: push.detail ?? null,
    notes: rechecked.notes,
    tookMs: Math.round(tookMs),
  };
}

function nobodysDevice({ key, platform, appId }: App, { sandbox, now }: ProbeOptions): Device {
  return {
    account: 0,
    appKey: key,
    platform,
    appId,
    token: platform === 'apns' ? NO_IPHONE : NO_ANDROID,
    sandbox,
    name: null,
    osVersion: null,
    clientVersion: null,
    remoteLoggingId: null,
    pushProfile: null,
    remoteNotificationToken: null,
    registeredAt: now,
    lastSeenAt: now,
  };
}

const ACCEPTED = { status: 'ok', explanation: 'the credential is accepted' } as const;

/** Apple's words for a credential of its other environment. */
const OTHER_ENVIRONMENT: ReadonlySet<string> = new Set([
  'BadCertificateEnvironment',
  'BadEnvironmentKeyIdInToken',
  'BadEnvironmentKeyInToken',
]);

/** What the answer to the probe says of the credential. */
function judge(
  { appId }: App,
  push: DirectPush,
  sandbox: boolean,
): Pick<ProbedApp, 'status' | 'explanation'> {
  switch (push.verdict) {
    case 'accepted':
    case 'token-dead':
    case 'token-suspect':
      return ACCEPTED;
    case 'our-fault':
      // Google's complaint about a token, with one detail more.
      if (push.reason === 'INVALID_ARGUMENT') return ACCEPTED;
      return push.reason === 'TopicDisallowed' || push.reason === 'BadTopic'
        ? { status: 'failed', explanation: `the credential may not push calls for ${appId}` }
        : { status: 'failed', explanation: 'the push service refuses the push' };
    case 'app-fault':
      return {
        status: 'failed',
        explanation: OTHER_ENVIRONMENT.has(push.reason)
          ? `the credential is not for Apple's ${sandbox ? 'sandbox: check it without' : 'production servers: check it with'} --sandbox`
          : 'the credential is refused: add the app again with a good one',
      };
    case 'throttled':
      return {
        status: 'unclear',
        explanation: 'the push service was asked too often: try again in 20 minutes',
      };
    case 'unavailable':
      return { status: 'unclear', explanation: push.connectError ?? 'the push service gave no verdict' };
    case 'overloaded':
    case 'withdrawn':
    case 'not-sent':
      return { status: 'failed', explanation: 'nothing can be sent with the credential: add the app again' };
    default:
      return push.verdict satisfies never;
  }
}

/** Checks a stored credential as `apps add` did, at `now` (epoch ms): it may have expired since. */
function recheckCredential(
  { credential, appId }: Pick<App, 'credential' | 'appId'>,
  now: number,
): { readonly notes: readonly string[] } | { readonly problem: string } {
  const reading = read();
  return reading.ok ? { notes: reading.notes } : { problem: reading.problem };

  function read() {
    switch (credential.kind) {
      case 'apns-key':
        return readApnsKey({ ...credential, text: credential.privateKey });
      case 'apns-certificate':
        return readApnsCertificate({
          certPem: credential.certificate,
          keyPem: credential.privateKey,
          appId,
          now,
        });
      case 'fcm-service-account':
        return readFcmServiceAccount(
          JSON.stringify({
            type: 'service_account',
            project_id: credential.projectId,
            client_email: credential.clientEmail,
            private_key_id: credential.privateKeyId,
            private_key: credential.privateKey,
            token_uri: credential.tokenUri,
          }),
        );
      default:
        return credential satisfies never;
    }
  }
}
