import type { HttpEvents } from '../http/http-events.ts';
import type { ClosedBecause } from '../http/listener/connection.ts';
import type { AppLabel } from './app-label.ts';
import { type Condition, type Conditions, isExpected } from './conditions.ts';
import type { LineBudget } from './line-budget.ts';
import { countReport, type ReferenceMetrics } from './reference-metrics.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/**
 * Lines a minute of each kind that users of the platform can cause: ten a second, more than an operator's phones cause
 * on a busy day, and few enough for a disk when somebody floods.
 */
const APP_LINES = 600;

const CLOSED: Readonly<Record<ClosedBecause, string>> = {
  idle: 'more connections than MAX_CONNECTIONS: one without a request is closed',
  crowded: 'far more connections than MAX_CONNECTIONS: one without a request is closed at once',
  unread: 'a client does not read its response: its connection is closed',
  pipelined: 'a client sends requests without waiting for answers: its connection is closed',
};

/** Versions of apps whose odd tokens are logged, and characters of a version: a token in its place is longer. */
const MOST_VERSIONS = 200;
const LONGEST_VERSION = 40;

/** Log line and metric of everything that the outside world does. */
export function createHttpTelemetry(
  metrics: ServiceMetrics,
  reference: ReferenceMetrics,
  lines: LineBudget,
  conditions: Conditions,
  appLabel: AppLabel,
): HttpEvents {
  const loggedVersions = new Set<string>();
  return {
    pbxAnswered: ({ delayMs }) => metrics.pbxAnswerDelay.observe({}, delayMs / 1000),
    connectionClosed: ({ why }) => {
      metrics.connectionsClosed.inc({ why });
      lines.write(`connection closed ${why}`, 'warn', CLOSED[why], { why });
    },
    requestRefused: ({ endpoint, why, ...from }) => {
      metrics.requestsRefused.inc({ endpoint, why });
      lines.write(`refused ${endpoint} ${why}`, 'info', 'request refused', { endpoint, why, ...from });
    },
    requestInvalid: ({ endpoint, field, problem }) => {
      metrics.requestsInvalid.inc({ endpoint, field });
      lines.write(`invalid ${endpoint}`, 'info', 'invalid request', { endpoint, field, problem });
    },
    answerUnproven: ({ uniqueKey, proof, refused }) => {
      metrics.answersUnproven.inc({ proof });
      if (refused) metrics.answers.inc({ fate: 'unproven' });
      const message = refused ? 'app answered: unproven' : 'app answered without its proof';
      lines.write('unproven', 'info', message, { call: uniqueKey, proof });
    },
    requestFailed: ({ endpoint, error }) => {
      metrics.requestsFailed.inc({ endpoint });
      lines.writeError(`failed ${endpoint}`, 'request failed by a fault of this service', error, {
        endpoint,
      });
    },
    storageFailed: ({ during, error }) => {
      metrics.storageFailures.inc();
      if (isExpected(error)) conditions.met(databaseDown(during, error));
      else lines.writeError(`storage ${during}`, 'the database could not be asked', error, { during });
    },
    platformFailed: ({ reason, error }) => {
      metrics.platformFailures.inc({ reason });
      conditions.met({
        key: `platform ${reason}`,
        level: error === undefined || isExpected(error) ? 'warn' : 'error',
        message: 'the platform API gave no verdict',
        fields: { reason },
        error,
        ends: 'by-silence',
      });
    },
    deviceRegistered: ({ account, platform, app, token, created, takeover }) => {
      metrics.registrations.inc({ platform, result: created ? 'created' : 'updated' });
      const message = created ? 'phone registered' : 'phone registered again';
      lines.write('registered', 'info', message, { account, platform, app, token, takeover }, APP_LINES);
    },
    iosTokenOdd: ({ app, clientVersion, shape }) => {
      metrics.iosTokensOdd.inc({ app: appLabel(app), shape });
      const version = clientVersion === null || clientVersion.length > LONGEST_VERSION ? '' : clientVersion;
      const key = JSON.stringify([app, version]);
      if (loggedVersions.has(key) || loggedVersions.size >= MOST_VERSIONS) return;
      loggedVersions.add(key);
      const message =
        'iPhones with this version of the app register push tokens that are not hexadecimal, or of another length: Apple refuses them, and no call rings';
      lines.write('odd token', 'warn', message, { app, clientVersion: version, shape });
    },
    deviceUnregistered: ({ account, platform, app, token, found }) => {
      metrics.registrations.inc({ platform, result: found ? 'removed' : 'not-found' });
      const message = found ? 'phone unregistered' : 'no such phone to unregister';
      lines.write('unregistered', 'info', message, { account, platform, app, token }, APP_LINES);
    },
    hangupReported: ({ account, uniqueKey, reason }) => {
      const fields = { call: uniqueKey, account, reason };
      lines.write('hangup', 'info', 'app could not take the call', fields, APP_LINES);
    },
    metricsReported: (report) => countReport(reference, report),
  };
}

/** The key of the condition that the database does not do what it is asked. */
export const DATABASE = 'database';

/** That the database could not be asked, whoever asked. It ends when a probe finds that it answers. */
export function databaseDown(during: string, error: unknown): Condition {
  return {
    key: DATABASE,
    level: 'error',
    message: 'the database could not be asked',
    fields: { during },
    error,
    ends: 'by-silence',
  };
}
