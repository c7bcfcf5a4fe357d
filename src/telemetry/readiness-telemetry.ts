import { Gauge, type Registry } from 'prom-client';
import { READINESS_SUBJECTS, type Readiness, statusOf } from '../http/routes/ops-routes.ts';
import type { Log } from './log.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** What was found when readiness was looked at. */
export interface ReadinessEvents {
  /** After every look. */
  readinessLooked(readiness: Readiness): void;
  /** It is not what it was; `error` is what the database said, if it said anything. */
  readinessChanged(readiness: Readiness, error: unknown): void;
  /** The database could not be read. */
  databaseUnanswered(): void;
}

const LEVELS = { ready: 0, degraded: 1, 'not ready': 2 } as const;
const LOG_LEVELS = { ready: 'info', degraded: 'warn', 'not ready': 'error' } as const;
const MESSAGES = {
  ready: 'ready: calls are served as they should be',
  degraded: 'degraded: calls are served, but not everything works',
  'not ready': 'not ready: this instance cannot serve calls',
} as const;

/** Log line and metric of readiness. */
export function createReadinessTelemetry(
  log: Log,
  registry: Registry,
  { storageFailures }: Pick<ServiceMetrics, 'storageFailures'>,
): ReadinessEvents {
  const gauge = new Gauge({
    name: 'vialer_middleware_readiness',
    help: '0 as it should be, 1 degraded (calls are served), 2 not ready (calls cannot be served), by subject.',
    labelNames: ['subject'],
    registers: [registry],
  });
  for (const subject of READINESS_SUBJECTS) gauge.set({ subject }, 0);
  return {
    readinessLooked: ({ notReady, degraded }) => {
      for (const subject of READINESS_SUBJECTS) {
        const isIn = (reasons: Readiness['notReady']) => reasons.some((reason) => reason.subject === subject);
        const status = isIn(notReady) ? 'not ready' : isIn(degraded) ? 'degraded' : 'ready';
        gauge.set({ subject }, LEVELS[status]);
      }
    },
    readinessChanged: (readiness, error) => {
      const status = statusOf(readiness);
      const reasons = [...readiness.notReady, ...readiness.degraded].map(({ text }) => text).join('; ');
      const said = saidBy(error);
      log.write(LOG_LEVELS[status], MESSAGES[status], {
        ...(reasons === '' ? {} : { reasons }),
        ...(said === undefined ? {} : { said }),
      });
    },
    databaseUnanswered: () => storageFailures.inc(),
  };
}

/** The innermost words: what the database or the system said. */
function saidBy(error: unknown): string | undefined {
  let words: string | undefined;
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth += 1) {
    words = each.message;
  }
  return words;
}
