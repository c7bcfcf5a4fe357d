import type { Conditions } from './conditions.ts';
import type { LineBudget } from './line-budget.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** What happens to the counts of failures. */
export interface LimitEvents {
  /** More clients failed than are counted at once: the oldest count was dropped. */
  keyForgotten(event: { readonly limit: string }): void;
  /** Other instances were not told of a failure. `error` undefined: nobody tried, and why is reported elsewhere. */
  countUnshared(event: { readonly limit: string; readonly error: unknown }): void;
}

/** Log line and metric of the limits. */
export function createLimitTelemetry(
  lines: LineBudget,
  conditions: Conditions,
  metrics: ServiceMetrics,
): LimitEvents {
  return {
    keyForgotten: ({ limit }) => {
      metrics.limitKeysForgotten.inc({ limit });
      lines.write('limit-forgotten', 'warn', 'more clients than can be counted', { limit });
    },
    countUnshared: ({ limit, error }) => {
      metrics.limitCountsUnshared.inc({ limit });
      if (error === undefined) return;
      conditions.met({
        key: 'limit-unshared',
        level: 'error',
        message: 'other instances were not told of a failure',
        fields: { limit },
        error,
        ends: 'by-silence',
      });
    },
  };
}
