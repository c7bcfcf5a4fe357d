import type { HttpEvents } from '../http/http-events.ts';
import { type Condition, type Conditions, isExpected } from './conditions.ts';
import type { LineBudget } from './line-budget.ts';
import type { Log } from './log.ts';
import { countReport, type ReferenceMetrics } from './reference-metrics.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** Log line and metric of everything that the outside world does. */
export function createHttpTelemetry(
  log: Log,
  metrics: ServiceMetrics,
  reference: ReferenceMetrics,
  lines: LineBudget,
  conditions: Conditions,
): HttpEvents {
  return {
    pbxAnswered: ({ delayMs }) => metrics.pbxAnswerDelay.observe({}, delayMs / 1000),
    connectionClosed: () => {
      metrics.connectionsClosed.inc();
      lines.write(
        'connection closed',
        'warn',
        'more connections than MAX_CONNECTIONS: an idle one is closed',
        {},
      );
    },
    requestRefused: ({ endpoint, why }) => {
      metrics.requestsRefused.inc({ endpoint, why });
      lines.write(`refused ${endpoint} ${why}`, 'info', 'request refused', { endpoint, why });
    },
    requestInvalid: ({ endpoint, field, problem }) => {
      metrics.requestsInvalid.inc({ endpoint, field });
      lines.write(`invalid ${endpoint}`, 'info', 'request makes no sense', { endpoint, field, problem });
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
      log.write('info', created ? 'phone registered' : 'phone registered again', {
        account,
        platform,
        app,
        token,
        takeover,
      });
    },
    deviceUnregistered: ({ account, platform, app, token, found }) => {
      metrics.registrations.inc({ platform, result: found ? 'removed' : 'not-found' });
      log.write('info', found ? 'phone unregistered' : 'no such phone to unregister', {
        account,
        platform,
        app,
        token,
      });
    },
    hangupReported: ({ account, uniqueKey, reason }) => {
      log.write('info', 'app could not take the call', { call: uniqueKey, account, reason });
    },
    metricsReported: (report) => countReport(reference, report),
  };
}

/** The key of the condition that the database does not do what it is asked. */
export const DATABASE = 'database';

/** That the database could not be asked, whoever asked. It ends when a probe finds that it answers. */
export const databaseDown = (during: string, error: unknown): Condition => ({
  key: DATABASE,
  level: 'error',
  message: 'the database could not be asked',
  fields: { during },
  error,
  ends: 'by-silence',
});
