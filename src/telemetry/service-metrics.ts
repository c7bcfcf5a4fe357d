import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client';
import { UNUSED_PRECISION_MS } from './event-loop-lag.ts';
import type { MetricBatch } from './metric-batch.ts';

const PREFIX = 'vialer_middleware_';

/** Seconds: a push service answers in 0.05 to 2 s, a phone wakes in 0.5 to 8 s. */
const WAKE_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 60];
/** Seconds: what passes between the app's word and the PBX's answer is this process alone. */
const DELAY_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/** The service's own metrics. Every label has a closed or operator-bounded set of values (docs/metrics.md). */
export function createServiceMetrics(registry: Registry, batch: MetricBatch) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    batch.counter(
      new Counter({ name: `${PREFIX}${name}`, help, labelNames: [...labelNames], registers }),
      labelNames,
    );
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name: `${PREFIX}${name}`, help, labelNames: [...labelNames], registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: number[],
  ) =>
    batch.histogram(
      new Histogram({ name: `${PREFIX}${name}`, help, labelNames: [...labelNames], buckets, registers }),
      labelNames,
    );

  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: UNUSED_PRECISION_MS });
  // Gauges whose names say that they are counters; each has its like with a label `type`, whose sum it is.
  for (const kind of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${kind}_total`);

  return {
    calls: counter('calls_total', 'Calls by how they ended.', ['app', 'outcome', 'platform']),
    callsRepeated: counter('calls_repeated_total', 'Requests for a call that was asked before.', ['found']),
    answers: counter('answers_total', "Apps' answers by what became of them.", ['fate']),
    answersUnproven: counter('answers_unproven_total', "Apps' answers without the proof of their push.", [
      'proof',
    ]),
    pushAccepted: histogram(
      'push_accepted_seconds',
      'From the push to its acceptance by the push service.',
      ['provider'],
      WAKE_BUCKETS,
    ),
    pushAnswer: histogram(
      'push_answer_seconds',
      "From a call's first push to its app's answer.",
      ['platform'],
      WAKE_BUCKETS,
    ),
    requestAnswer: histogram(
      'request_answer_seconds',
      "From the PBX's request to the end of the call.",
      ['outcome'],
      WAKE_BUCKETS,
    ),
    pbxAnswerDelay: histogram(
      'pbx_answer_delay_seconds',
      "From the app's word to the PBX's answer.",
      [],
      DELAY_BUCKETS,
    ),
    pushes: counter('pushes_total', 'Pushes by how they ended.', ['app', 'provider', 'reason']),
    pushRetries: counter('push_retries_total', 'Pushes tried again.', ['app', 'provider', 'reason']),
    pushesRefused: counter('pushes_refused_total', 'Pushes refused by a credential that works for others.', [
      'app',
      'platform',
      'reason',
    ]),
    breakerState: gauge('breaker_state', '0 closed, 1 half open, 2 open.', [
      'app',
      'platform',
      'environment',
    ]),
    tokensDropped: counter('tokens_dropped_total', 'Push tokens removed as dead.', [
      'app',
      'provider',
      'reason',
    ]),
    tokensKept: counter('tokens_kept_total', 'Refused push tokens kept because the app itself is suspect.', [
      'app',
      'provider',
      'because',
    ]),
    faults: counter('faults_total', 'Refusals that an operator must look at.', ['app', 'platform', 'reason']),
    oauthFailures: counter('oauth_failures_total', 'Times that Google gave no access token.', ['reason']),
    credentialExpiry: gauge('credential_expiry_timestamp_seconds', 'When the credential of an app expires.', [
      'app',
      'platform',
    ]),
    credentialsUnreadable: gauge(
      'credentials_unreadable',
      '1 while the stored credential of an app cannot be read.',
      ['app', 'platform'],
    ),
    channelConnections: gauge('channel_connections', 'Connections to push services that take requests.', [
      'origin',
    ]),
    channelConnects: counter('channel_connects_total', 'Connections made to push services.', ['origin']),
    channelConnectFailures: counter(
      'channel_connect_failures_total',
      'Tries to connect to push services that failed, or were so slow that another was started.',
      ['origin'],
    ),
    channelLosses: counter('channel_losses_total', 'Connections to push services that ended.', [
      'origin',
      'cause',
    ]),
    registrations: counter('registrations_total', 'Phones registered and unregistered.', [
      'platform',
      'result',
    ]),
    iosTokensOdd: counter(
      'ios_tokens_odd_total',
      'Registrations of iPhones with a push token that is not hexadecimal, or not of 64 to 200 digits.',
      ['app', 'shape'],
    ),
    connectionsClosed: counter(
      'connections_closed_total',
      'Connections that were closed before their client closed them.',
      ['why'],
    ),
    requestsRefused: counter('requests_refused_total', 'Requests that were refused.', ['endpoint', 'why']),
    requestsInvalid: counter('requests_invalid_total', 'Invalid requests, by the field that is wrong.', [
      'endpoint',
      'field',
    ]),
    requestsFailed: counter(
      'requests_failed_total',
      'Requests that failed because of a bug in this service.',
      ['endpoint'],
    ),
    limitKeysForgotten: counter(
      'limit_keys_forgotten_total',
      'Counts of failures or registrations dropped for newer ones.',
      ['limit'],
    ),
    limitCountsUnshared: counter(
      'limit_counts_unshared_total',
      'Failures and registrations that only this instance counted.',
      ['limit'],
    ),
    storageFailures: counter(
      'storage_failures_total',
      'Times that the database could not be read or changed.',
      [],
    ),
    callsFromCache: counter(
      'calls_from_cache_total',
      'Calls whose device was found in memory while the database was unreachable.',
      [],
    ),
    platformFailures: counter(
      'platform_api_failures_total',
      'Times that the platform API did not say whether a credential is valid.',
      ['reason'],
    ),
    logLinesDropped: counter(
      'log_lines_dropped_total',
      'Log lines lost: the reader is too slow, or the write failed.',
      [],
    ),
  };
}

/** The service's own metrics, to be moved by the events. */
export type ServiceMetrics = ReturnType<typeof createServiceMetrics>;
