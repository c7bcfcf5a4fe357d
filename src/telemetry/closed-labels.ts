import type { AnswerFate } from '../calls/answer-bus.ts';
import { CALL_OUTCOMES } from '../calls/call-outcome.ts';
import { PLATFORMS } from '../devices/device.ts';
import type { ClosedBecause } from '../http/connection.ts';
import type { HttpEvents } from '../http/http-events.ts';
import { ALL_ENDPOINTS, ENDPOINTS } from '../http/paths.ts';
import { APNS_REASONS } from '../push/apns/answers.ts';
import { FCM_CODES } from '../push/fcm/answers.ts';
import type { OauthAnswer } from '../push/fcm/oauth.ts';
import type { ChannelEvents, ChannelFailure } from '../push/http2-channel-types.ts';
import type { ProviderName } from '../push/push-provider.ts';
import type { KeepReason } from '../push/token-guard.ts';
import type { AppLabel } from './app-label.ts';
import type { ReferenceMetrics } from './reference-metrics.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** The names of a union: it does not compile where one is missing. */
const names = <Name extends string>(table: Readonly<Record<Name, true>>): readonly string[] =>
  Object.keys(table);

const FATES = names<AnswerFate | 'unproven'>({
  taken: true,
  duplicate: true,
  late: true,
  unknown: true,
  undecided: true,
  unproven: true,
});
const LOSSES = names<Parameters<ChannelEvents['channelLost']>[0]['cause']>({
  goaway: true,
  'ping-timeout': true,
  reset: true,
  'closed-by-peer': true,
  renewed: true,
  idle: true,
  closed: true,
});
const CLOSED_BECAUSE = names<ClosedBecause>({ idle: true, crowded: true, unread: true, pipelined: true });
const CHANNEL_FAILURES = names<ChannelFailure>({
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
const OAUTH_FAILURES = names<Exclude<OauthAnswer, { kind: 'token' }>['reason']>({
  'key-unusable': true,
  'oauth-invalid-grant': true,
  'oauth-invalid-client': true,
  'oauth-unauthorized': true,
  'oauth-refused': true,
  'oauth-unreachable': true,
  'oauth-timeout': true,
  'oauth-server-error': true,
  'oauth-bad-answer': true,
});
const KEPT_BECAUSE = names<KeepReason>({
  'setup-fault': true,
  'no-recent-success': true,
  'registered-since': true,
});
type Refusal = Parameters<HttpEvents['requestRefused']>[0]['why'];
const PBX_REFUSALS = names<Exclude<Refusal, 'unauthenticated' | 'forbidden' | 'platform-down'>>({
  address: true,
  certificate: true,
  token: true,
  'untrusted-proxy': true,
  limited: true,
});
const ACCOUNT_REFUSALS = ['unauthenticated', 'forbidden', 'platform-down', 'limited'];
const PLATFORM_FAILURES = [
  'too-many-questions',
  'timeout',
  'unreachable',
  'status-3xx',
  'status-4xx',
  'status-5xx',
  'profile-without-app-account',
  'app-account-is-no-path',
  'account-without-account-id',
];
const LIMITS = ['answers', 'pbx', 'accounts', 'addresses', 'registrations'];

/** Fields that requests of each endpoint can have wrong, besides their body and the request itself. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'incoming-call': ['sip_user_id', 'phonenumber', 'caller_id', 'call_id'],
  'call-cancelled': ['call_id', 'reason'],
  'call-response': ['unique_key', 'message_start_time', 'available'],
  'hangup-reason': ['sip_user_id', 'unique_key', 'reason'],
  'log-metrics': ['sip_user_id'],
  'check-in': ['sip_user_id'],
  'apns-device': ['sip_user_id', 'token', 'app'],
  'gcm-device': ['sip_user_id', 'token', 'app'],
  'android-device': ['sip_user_id', 'token', 'app'],
};

/** Why a push was not sent, or failed by a fault of this service. */
const OURS = [
  'credential-unusable',
  'too-many-in-flight',
  'breaker-open',
  'notice-unsupported',
  'internal-error',
];
const COMMON = ['Accepted', 'Other', ...CHANNEL_FAILURES, ...OURS];
const REASONS: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: [...COMMON, 'key-unusable', ...Object.keys(APNS_REASONS)],
  fcm: [...COMMON, ...OAUTH_FAILURES, ...Object.keys(FCM_CODES)],
};
/** Reasons of `faults_total`: of the app's credential, and of our messages. */
const FAULTS: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: [
    ...['Other', 'malformed', 'credential-unusable', 'key-unusable', 'notice-unsupported', 'internal-error'],
    ...Object.entries(APNS_REASONS)
      .filter(([, meaning]) => /fault|jwt|payload/.test(meaning))
      .map(([reason]) => reason),
  ],
  fcm: [
    ...['Other', 'malformed', 'credential-unusable', 'notice-unsupported', 'internal-error'],
    ...OAUTH_FAILURES,
    ...['INVALID_ARGUMENT', 'THIRD_PARTY_AUTH_ERROR', 'UNAUTHENTICATED', 'PERMISSION_DENIED'],
  ],
};
/** Reasons of `pushes_refused_total`: what a push service can hold against a credential in its answer to one push. */
const REFUSED: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: [
    'Other',
    ...Object.entries(APNS_REASONS)
      .filter(([, meaning]) => /app-fault|jwt/.test(meaning))
      .map(([reason]) => reason),
  ],
  fcm: ['Other', 'THIRD_PARTY_AUTH_ERROR', 'UNAUTHENTICATED', 'PERMISSION_DENIED'],
};
const DROPPED: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: ['Unregistered', 'ExpiredToken', 'BadDeviceToken', 'DeviceTokenNotForTopic'],
  fcm: ['UNREGISTERED', 'INVALID_ARGUMENT', 'SENDER_ID_MISMATCH'],
};
const RETRIED: Readonly<Record<ProviderName, readonly string[]>> = {
  apns: [
    'stream-reset',
    'IdleTimeout',
    'ExpiredProviderToken',
    'TooManyProviderTokenUpdates',
    'PayloadTooLarge',
    'InternalServerError',
    'ServiceUnavailable',
    'Shutdown',
    'BadDeviceToken',
    'Other',
  ],
  fcm: ['stream-reset', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'INTERNAL', 'UNAVAILABLE', 'Other'],
};

/**
 * Shows every closed label set as 0 before its first event: a counter that begins at 1 has no increase for Prometheus, and an
 * alert would miss the event that it is for.
 */
export function startClosedLabels(
  metrics: ServiceMetrics,
  reference: ReferenceMetrics,
  origins: readonly string[],
): void {
  for (const outcome of CALL_OUTCOMES) {
    metrics.calls.start({ app: 'none', outcome, platform: 'none' });
    metrics.requestAnswer.start({ outcome });
  }
  for (const found of ['waiting', 'answered', 'elsewhere']) metrics.callsRepeated.start({ found });
  for (const fate of FATES) metrics.answers.start({ fate });
  for (const proof of ['missing', 'wrong']) metrics.answersUnproven.start({ proof });
  for (const provider of ['apns', 'fcm']) metrics.pushAccepted.start({ provider });
  for (const platform of PLATFORMS) {
    metrics.pushAnswer.start({ platform });
    for (const result of ['created', 'updated', 'removed', 'not-found'])
      metrics.registrations.start({ platform, result });
  }
  for (const reason of OAUTH_FAILURES) metrics.oauthFailures.start({ reason });
  for (const reason of PLATFORM_FAILURES) metrics.platformFailures.start({ reason });
  for (const limit of LIMITS) {
    metrics.limitKeysForgotten.start({ limit });
    metrics.limitCountsUnshared.start({ limit });
  }
  for (const origin of new Set(origins)) {
    metrics.channelConnects.start({ origin });
    metrics.channelConnectFailures.start({ origin });
    metrics.channelConnections.inc({ origin }, 0);
    for (const cause of LOSSES) metrics.channelLosses.start({ origin, cause });
  }
  for (const why of CLOSED_BECAUSE) metrics.connectionsClosed.start({ why });
  startRequests(metrics);
  startReference(reference);
}

function startRequests(metrics: ServiceMetrics): void {
  for (const why of PBX_REFUSALS) metrics.requestsRefused.start({ endpoint: 'pbx', why });
  metrics.requestsRefused.start({ endpoint: ENDPOINTS.callResponse.name, why: 'limited' });
  const { apnsDevice, gcmDevice, androidDevice, hangupReason, logMetrics, checkIn } = ENDPOINTS;
  for (const { name: endpoint } of [apnsDevice, gcmDevice, androidDevice, hangupReason, logMetrics, checkIn])
    for (const why of ACCOUNT_REFUSALS) metrics.requestsRefused.start({ endpoint, why });
  const endpoints = ALL_ENDPOINTS.filter(({ path }) => path.startsWith('/api/')).map(({ name }) => name);
  for (const endpoint of [...endpoints, 'other']) {
    metrics.requestsFailed.start({ endpoint });
    for (const field of ['request', 'body', ...(FIELDS[endpoint] ?? [])])
      metrics.requestsInvalid.start({ endpoint, field });
  }
}

function startReference(reference: ReferenceMetrics): void {
  reference.incomingCallSuccess.start({ action: 'Received', os: 'Middleware' });
  reference.incomingCallFailed.start({
    action: 'Received',
    failed_reason: 'failed no sip_user_id',
    os: 'Middleware',
  });
  for (const os of PLATFORMS) {
    reference.pushSuccess.start({ direction: 'Incoming', os });
    for (const failed_reason of ['Device not available', 'Unable to get response from phone'])
      reference.pushFailed.start({ direction: 'Incoming', os, failed_reason });
  }
}

/** The same for the label sets of an app, once it is known; its label must be its own. */
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
    for (const because of KEPT_BECAUSE) metrics.tokensKept.start({ app, provider, because });
  };
}
