import { CALL_OUTCOMES } from '../calls/call-outcome.ts';
import { ODD_TOKEN_SHAPES } from '../http/wire/fields/ios-token-shape.ts';
import type { ChannelFailure } from '../http2/channel-types.ts';
import type { ProviderName } from '../push/push-provider.ts';
import { APNS_REASONS } from '../push/services/apns/answers.ts';
import { FCM_CODES } from '../push/services/fcm/answers.ts';
import type { OauthAnswer } from '../push/services/fcm/oauth.ts';
import type { KeepReason } from '../push/token-guard.ts';
import type { AppLabel } from './app-label.ts';
import { names } from './label-names.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** Why a push has no answer of its push service. */
export const CHANNEL_FAILURES = names<ChannelFailure>({
  timeout: true,
  unreachable: true,
  'connection-lost': true,
  'stream-reset': true,
  'queue-full': true,
  withdrawn: true,
  closed: true,
  malformed: true,
  dismissed: true,
  'connection-refused': true,
  'host-not-found': true,
  'no-route': true,
  'tls-failed': true,
  'not-http2': true,
  'proxy-refused': true,
  'certificate-expired': true,
  'certificate-revoked': true,
  'certificate-unknown-ca': true,
  'certificate-refused': true,
});
type OauthFailure<Kind> = Extract<OauthAnswer, { kind: Kind; reason: string }>['reason'];
/** Google does not accept the account. */
export const OAUTH_REFUSALS = names<OauthFailure<'app-fault'>>({
  'key-unusable': true,
  'oauth-invalid-grant': true,
  'oauth-invalid-client': true,
  'oauth-unauthorized': true,
  'oauth-refused': true,
});
const OAUTH_OUTAGES = names<OauthFailure<'unavailable'>>({
  'oauth-unreachable': true,
  'oauth-timeout': true,
  'oauth-server-error': true,
  'oauth-bad-answer': true,
});
/** Reasons for which Google's token endpoint gives no access token. */
export const OAUTH_FAILURES = [...OAUTH_REFUSALS, ...OAUTH_OUTAGES];
const KEPT_BECAUSE = names<KeepReason>({
  'setup-fault': true,
  'no-recent-success': true,
  'registered-since': true,
});
/** Why a push was not sent, or failed by a fault of this service. */
const OURS = [
  'unknown-app',
  'credential-unusable',
  'too-many-in-flight',
  'breaker-open',
  'notice-unsupported',
  'internal-error',
];
/** Reasons of pushes that are neither `Accepted` nor a push service's own words. */
export const OWN_REASONS = [...CHANNEL_FAILURES, ...OURS, ...OAUTH_FAILURES];
const COMMON = ['Accepted', 'Other', ...CHANNEL_FAILURES, ...OURS];
const REASONS: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: [...COMMON, 'key-unusable', ...Object.keys(APNS_REASONS)],
  fcm: [...COMMON, ...OAUTH_FAILURES, ...Object.keys(FCM_CODES)],
};
/** Apple's words with one of these meanings. */
function appleSays(meanings: RegExp): readonly string[] {
  return Object.entries(APNS_REASONS).flatMap(([reason, meaning]) =>
    meanings.test(meaning) ? [reason] : [],
  );
}

/** Reasons of `pushes_refused_total`: what a push service can hold against a credential in its answer to one push. */
const REFUSED: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: ['Other', ...appleSays(/app-fault|jwt-expired/)],
  fcm: ['Other', 'UNAUTHENTICATED', 'PERMISSION_DENIED'],
};
const COMMON_FAULTS = [
  ...['malformed', 'credential-unusable', 'notice-unsupported', 'internal-error'],
  ...CHANNEL_FAILURES.filter((reason) => reason.startsWith('certificate-')),
];
/** Reasons of `faults_total`: of the app's credential, and of our messages. */
const FAULTS: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: [...COMMON_FAULTS, 'key-unusable', ...REFUSED.apns, ...appleSays(/our-fault|payload/)],
  fcm: [...COMMON_FAULTS, ...REFUSED.fcm, ...OAUTH_REFUSALS, 'INVALID_ARGUMENT', 'THIRD_PARTY_AUTH_ERROR'],
};
/** A token that a credential refused in Apple's other environment fits nowhere. */
const DROPPED: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: [...REFUSED.apns, ...appleSays(/token/)],
  fcm: ['UNREGISTERED', 'INVALID_ARGUMENT', 'SENDER_ID_MISMATCH'],
};
const COMMON_RETRIES = ['stream-reset', 'connection-lost'];
const RETRIED: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: [
    ...COMMON_RETRIES,
    ...REFUSED.apns,
    ...appleSays(/token|device-throttled|idle|payload|broken-connection|out-of-service/),
  ],
  fcm: [...COMMON_RETRIES, ...REFUSED.fcm, 'INTERNAL', 'UNAVAILABLE'],
};

/** Shows the closed label sets of an app as 0 before their first event, once the app is known. */
export function createAppStart(
  metrics: ServiceMetrics,
  label: AppLabel,
): (app: { readonly appId: string; readonly platform: string }) => void {
  const started = new Set<string>();
  return ({ appId, platform }) => {
    const app = label(appId);
    const key = JSON.stringify([app, platform]);
    if (started.has(key)) return;
    started.add(key);
    const provider: ProviderName = platform === 'apns' ? 'apns' : 'fcm';
    for (const outcome of CALL_OUTCOMES) metrics.calls.start({ app, outcome, platform });
    for (const reason of REASONS[provider]) metrics.pushes.start({ app, provider, reason });
    for (const reason of RETRIED[provider]) metrics.pushRetries.start({ app, provider, reason });
    for (const reason of FAULTS[provider]) metrics.faults.start({ app, platform, reason });
    for (const reason of REFUSED[provider]) metrics.pushesRefused.start({ app, platform, reason });
    for (const reason of DROPPED[provider]) metrics.tokensDropped.start({ app, provider, reason });
    if (platform === 'apns') for (const shape of ODD_TOKEN_SHAPES) metrics.iosTokensOdd.start({ app, shape });
    for (const because of KEPT_BECAUSE) metrics.tokensKept.start({ app, provider, because });
  };
}
