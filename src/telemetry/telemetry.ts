import { Registry } from 'prom-client';
import type { CallEvents } from '../calls/call-events.ts';
import type { CacheEvents } from '../devices/cached-device-store.ts';
import type { HttpEvents } from '../http/http-events.ts';
import type { ChannelEvents } from '../push/http2-channel-types.ts';
import type { PushEvents } from '../push/push-events.ts';
import { createCallTelemetry } from './call-telemetry.ts';
import { createHttpTelemetry } from './http-telemetry.ts';
import type { Log } from './log.ts';
import { createPushTelemetry } from './push-telemetry.ts';
import { createReferenceMetrics } from './reference-metrics.ts';
import { createServiceMetrics, type ServiceMetrics } from './service-metrics.ts';

/** Everything that tells of the service: one function per event, which writes the log line and moves the metric. */
export interface Telemetry {
  readonly log: Log;
  readonly registry: Registry;
  readonly calls: CallEvents;
  readonly http: HttpEvents;
  readonly push: PushEvents & ChannelEvents;
  readonly deviceCache: CacheEvents;
  /** The apps as they are now; `expiresAt` of their credentials in milliseconds since the epoch, undefined: never. */
  appsKnown(apps: readonly KnownApp[]): void;
  /** The database cannot be opened for now; calls get NAK until it can. */
  databaseAway(error: unknown): void;
  /** The database may be used; these migrations were applied for it. */
  databaseOpened(migrations: readonly string[]): void;
  /** Whether the database answers. */
  databaseHealth(answers: boolean): void;
}

/** Builds log, metrics and events on a registry of their own. */
export function createTelemetry(options: {
  readonly openLog: (onDropped: () => void) => Log;
  readonly dockerTag: string;
  readonly callsWaiting: () => number;
}): Telemetry {
  const registry = new Registry();
  const metrics = createServiceMetrics(registry, options);
  const reference = createReferenceMetrics(registry, options.dockerTag);
  const log = options.openLog(() => metrics.logLinesDropped.inc());
  const http = createHttpTelemetry(log, metrics, reference);
  let wasAway = false;
  return {
    log,
    registry,
    http,
    calls: { ...createCallTelemetry(log, metrics, reference), storageFailed: http.storageFailed },
    push: createPushTelemetry(log, metrics),
    deviceCache: {
      servedFromCache: ({ first, error }) => {
        metrics.callsFromCache.inc();
        if (first) log.writeError('the database is away: phones of calls are looked up in memory', error, {});
      },
      cacheRetired: ({ calls }) => log.write('info', 'phones are looked up in the database again', { calls }),
    },
    appsKnown: (apps) => tellExpiries(apps, log, metrics),
    databaseAway: (error) => {
      wasAway = true;
      http.storageFailed({ during: 'opening the database; it is waited for', error });
    },
    databaseOpened: (migrations) => {
      if (wasAway) log.write('info', 'the database is there', {});
      if (migrations.length > 0)
        log.write('info', 'database migrated', { migrations: migrations.join(', ') });
    },
    databaseHealth: (answers) => reference.databaseHealth.set(answers ? 1 : 0),
  };
}

/** An app, and when its credential stops working. */
export interface KnownApp {
  readonly appId: string;
  readonly platform: string;
  readonly expiresAt: number | undefined;
}

const DAY_MS = 86_400_000;
/** Days before the end of a credential at which it is logged, and logged as an error. */
const WARN_DAYS = 30;
const ALARM_DAYS = 7;

function tellExpiries(apps: readonly KnownApp[], log: Log, metrics: ServiceMetrics): void {
  metrics.credentialExpiry.reset();
  for (const { appId: app, platform, expiresAt } of apps) {
    if (expiresAt === undefined) continue;
    metrics.credentialExpiry.set({ app, platform }, Math.floor(expiresAt / 1000));
    const daysLeft = Math.floor((expiresAt - Date.now()) / DAY_MS);
    if (daysLeft >= WARN_DAYS) continue;
    const level = daysLeft < ALARM_DAYS ? 'error' : 'warn';
    log.write(level, 'the credential of an app expires soon', { app, platform, daysLeft });
  }
}
