import type { CacheEvents } from '../devices/cached-device-store.ts';
import type { HttpEvents } from '../http/http-events.ts';
import type { Log } from './log.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** What happens to the database as a whole. */
export interface DatabaseTelemetry {
  readonly deviceCache: CacheEvents;
  /** The database cannot be opened for now; calls get NAK until it can. */
  databaseAway(error: unknown): void;
  /** The database may be used; these migrations were applied for it. */
  databaseOpened(migrations: readonly string[]): void;
}

/** Log line and metric of everything that happens to the database as a whole. */
export function createDatabaseTelemetry(
  log: Log,
  metrics: Pick<ServiceMetrics, 'callsFromCache'>,
  http: Pick<HttpEvents, 'storageFailed'>,
): DatabaseTelemetry {
  let wasAway = false;
  return {
    deviceCache: {
      servedFromCache: ({ first, error }) => {
        metrics.callsFromCache.inc();
        if (first) log.writeError('the database is away: phones of calls are looked up in memory', error, {});
      },
      cacheRetired: ({ calls }) => log.write('info', 'phones are looked up in the database again', { calls }),
    },
    databaseAway: (error) => {
      wasAway = true;
      http.storageFailed({ during: 'opening the database; it is waited for', error });
    },
    databaseOpened: (migrations) => {
      if (wasAway) log.write('info', 'the database is there', {});
      if (migrations.length > 0)
        log.write('info', 'database migrated', { migrations: migrations.join(', ') });
    },
  };
}
