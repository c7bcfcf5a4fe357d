import { Counter, Gauge, type Registry } from 'prom-client';
import { BoundedCounter } from './bounded-labels.ts';
import type { MetricBatch } from './metric-batch.ts';

const REPORT_LABELS = [
  'app_version',
  'connection_type',
  'direction',
  'network',
  'network_operator',
  'os',
  'os_version',
] as const;
const SUCCESS_LABELS = [...REPORT_LABELS, 'codec', 'mos'] as const;
const FAILURE_LABELS = [...REPORT_LABELS, 'failed_reason'] as const;
const HANGUP_LABELS = [...REPORT_LABELS, 'hangup_reason'] as const;

/**
 * The metrics of the Python service that this one replaces, under their own names and labels, so that dashboards and
 * alarms go on working.
 */
export function createReferenceMetrics(registry: Registry, batch: MetricBatch, dockerTag: string) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    batch.counter(new Counter({ name, help, labelNames: [...labelNames], registers }), labelNames);
  const bounded = <L extends string>(name: string, help: string, labels: readonly L[]) =>
    new BoundedCounter(registry, name, help, labels);

  const databaseHealth = new Gauge({
    name: 'mysql_health',
    help: '1 while the database can be read, whatever its make.',
    registers,
  });
  const redisHealth = new Gauge({
    name: 'redis_health',
    help: '1 while Redis does what calls need and the messages of other instances are heard, or no Redis is used.',
    registers,
  });
  // The reference's is a counter, by name and labels as good as this; a counter's name would have to end in `_total`.
  new Gauge({
    name: 'docker_tag',
    help: 'Which release runs (DOCKER_TAG).',
    labelNames: ['docker_tag'],
    registers,
  }).set({ docker_tag: dockerTag }, 1);

  return {
    databaseHealth,
    redisHealth,
    callSuccess: bounded(
      'vialer_call_success_total',
      'Calls that the apps reported as set up.',
      SUCCESS_LABELS,
    ),
    callFailure: bounded(
      'vialer_call_failure_total',
      'Calls that the apps reported as failed in set-up.',
      FAILURE_LABELS,
    ),
    hangupReason: bounded(
      'vialer_hangup_reason_total',
      'Why calls ended, as the apps reported it.',
      HANGUP_LABELS,
    ),
    pushSuccess: counter(
      'vialer_middleware_push_notification_success_total',
      'Calls whose app said it is ready.',
      ['direction', 'os'],
    ),
    pushFailed: counter(
      'vialer_middleware_push_notification_failed_total',
      'Calls whose app declined or did not answer.',
      ['direction', 'os', 'failed_reason'],
    ),
    incomingCallSuccess: counter(
      'vialer_middleware_incoming_call_success_total',
      'Calls asked for an account with a phone.',
      ['action', 'os'],
    ),
    incomingCallFailed: counter(
      'vialer_middleware_incoming_call_failed_total',
      'Calls asked for an account without a phone.',
      ['action', 'failed_reason', 'os'],
    ),
  };
}

/** The reference's metrics, to be moved by the events. */
export type ReferenceMetrics = ReturnType<typeof createReferenceMetrics>;

/** Counts what an app reported of one call, as the reference did; a report of neither kind counts nothing. */
export function countReport(metrics: ReferenceMetrics, report: ReadonlyMap<string, unknown>): void {
  const value = (label: string): unknown =>
    label === 'network_operator' && isWifi(report) ? '' : report.get(label);
  if (report.has('hangup_reason')) metrics.hangupReason.count(value);
  else if (report.get('call_setup_successful') === 'true') metrics.callSuccess.count(value);
  else if (report.get('call_setup_successful') === 'false') metrics.callFailure.count(value);
}

function isWifi(report: ReadonlyMap<string, unknown>): boolean {
  const network = report.get('network');
  return typeof network === 'string' && network.toLowerCase() === 'wifi';
}
