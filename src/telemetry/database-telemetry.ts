import type { CacheEvents } from '../devices/cached-device-store.ts';
import type { HttpEvents } from '../http/http-events.ts';
import { type Conditions, isExpected } from './conditions.ts';
import { errorWords } from './describe-error.ts';
import { DATABASE } from './http-telemetry.ts';
import type { Log } from './log.ts';
import type { ReferenceMetrics } from './reference-metrics.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** What happens to the database as a whole. */
export interface DatabaseTelemetry {
  readonly deviceCache: CacheEvents;
  /** The database cannot be opened for now; calls get NAK until it can. */
  databaseAway(error: unknown): void;
  /** The database may be used; these migrations were applied for it. */
  databaseOpened(migrations: readonly string[]): void;
  /** What a probe found: whether the database answers. */
  databaseHealth(answers: boolean): void;
}

/** Log line and metric of everything that happens to the database as a whole. */
export function createDatabaseTelemetry(deps: {
  readonly log: Log;
  readonly metrics: Pick<ServiceMetrics, 'callsFromCache'>;
  readonly reference: Pick<ReferenceMetrics, 'databaseHealth'>;
  readonly http: Pick<HttpEvents, 'storageFailed'>;
  readonly conditions: Conditions;
}): DatabaseTelemetry {
  const { log, metrics, http, conditions } = deps;
  let failures = 0;
  let wasAway = false;
  return {
    deviceCache: {
      servedFromCache: ({ first, error }) => {
        metrics.callsFromCache.inc();
        if (!first) return;
        const message = 'the database is unreachable: phones of calls are looked up in memory';
        if (isExpected(error)) log.write('error', message, { error: errorWords(error) });
        else log.writeError(message, error, {});
      },
      cacheRetired: ({ calls }) => log.write('info', 'phones are looked up in the database again', { calls }),
    },
    databaseHealth: (answers) => {
      deps.reference.databaseHealth.set(answers ? 1 : 0);
      // One that answers and cannot be written has failed in this very probe.
      const failuresNow = conditions.timesMet(DATABASE);
      if (answers && failuresNow === failures) conditions.over(DATABASE, 'the database answers again');
      failures = failuresNow;
    },
    databaseAway: (error) => {
      wasAway = true;
      http.storageFailed({ during: 'opening the database; it is waited for', error });
    },
    databaseOpened: (migrations) => {
      if (wasAway) conditions.over(DATABASE, 'the database is available');
      if (migrations.length > 0)
        log.write('info', 'database migrated', { migrations: migrations.join(', ') });
    },
  };
}
