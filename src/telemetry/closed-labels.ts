import { PLATFORMS } from '../apps/platform.ts';
import type { AnswerFate } from '../calls/answer-bus.ts';
import { CALL_OUTCOMES } from '../calls/call-outcome.ts';
import type { HttpEvents } from '../http/http-events.ts';
import type { ClosedBecause } from '../http/listener/connection.ts';
import { ALL_ENDPOINTS, ENDPOINTS } from '../http/wire/paths.ts';
import type { ChannelEvents } from '../http2/channel-types.ts';
import { OAUTH_FAILURES } from './app-labels.ts';
import { names } from './label-names.ts';
import type { ReferenceMetrics } from './reference-metrics.ts';
import type { ServiceMetrics } from './service-metrics.ts';

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
type Refusal = Parameters<HttpEvents['requestRefused']>[0]['why'];
const PBX_REFUSALS = names<Exclude<Refusal, 'unauthenticated' | 'forbidden' | 'platform-down'>>({
  address: true,
  certificate: true,
  token: true,
  'untrusted-proxy': true,
  limited: true,
});
const ACCOUNT_REFUSALS = ['unauthenticated', 'forbidden', 'platform-down', 'limited'];
/** Every reason of `platform_api_failures_total`. */
export const PLATFORM_FAILURES = [
  'too-many-questions',
  'timeout',
  'unreachable',
  'status-2xx',
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
