import { setImmediate } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { CredentialUnreadable } from '../apps/credential-unreadable.ts';
import type { BusEvents } from '../bus/redis/bus-events.ts';
import type { CallEvents } from '../calls/call-events.ts';
import type { HttpEvents } from '../http/http-events.ts';
import type { TlsEvents } from '../http/listener/tls-events.ts';
import type { ChannelEvents } from '../http2/channel-types.ts';
import { monotonic } from '../lib/monotonic.ts';
import type { PushEvents } from '../push/push-events.ts';
import type { RedisEvents } from '../redis/redis-link.ts';
import { createAppLabel } from './app-label.ts';
import { createAppStart } from './app-labels.ts';
import { createBusTelemetry } from './bus-telemetry.ts';
import { createCallTelemetry } from './call-telemetry.ts';
import { startClosedLabels } from './closed-labels.ts';
import { createConditions } from './conditions.ts';
import { createDatabaseTelemetry, type DatabaseTelemetry } from './database-telemetry.ts';
import { createDeviceCounts, type DeviceCount } from './device-counts.ts';
import { replaceEventLoopLag } from './event-loop-lag.ts';
import { expiryLevel } from './expiry-level.ts';
import { createHttpTelemetry } from './http-telemetry.ts';
import { createLimitGauges, type LoadFigures, type LoadLimits } from './limit-gauges.ts';
import { createLimitTelemetry, type LimitEvents } from './limit-telemetry.ts';
import { createLineBudget } from './line-budget.ts';
import type { Log } from './log.ts';
import { MetricBatch } from './metric-batch.ts';
import { createPushTelemetry } from './push-telemetry.ts';
import { createReadinessTelemetry, type ReadinessEvents } from './readiness-telemetry.ts';
import { createReferenceMetrics } from './reference-metrics.ts';
import { createServiceMetrics, type ServiceMetrics } from './service-metrics.ts';
import { createTlsTelemetry } from './tls-telemetry.ts';

/** Everything that tells of the service: one function per event, which writes the log line and moves the metric. */
export interface Telemetry extends DatabaseTelemetry {
  readonly log: Log;
  readonly registry: Registry;
  /** The metrics as they are now, in the registry's text format. */
  readMetrics(): Promise<string>;
  readonly calls: CallEvents;
  readonly http: HttpEvents;
  readonly push: PushEvents & ChannelEvents;
  readonly limits: LimitEvents;
  /** Writes out what is left; nothing is to be told afterwards. Resolves within a second. */
  close(): Promise<void>;
  readonly tls: TlsEvents;
  readonly bus: BusEvents & RedisEvents;
  readonly readiness: ReadinessEvents;
  /** The apps as they are now; `expiresAt` of their credentials in milliseconds since the epoch, undefined: never. */
  appsKnown(apps: readonly KnownApp[]): void;
  /** Counts the registered devices for their gauge; never rejects. Scrapes do it once a minute. */
  countDevices(): Promise<void>;
  /** The apps whose stored credential cannot be read now; `kept`: with the last one that could be, phones are woken. */
  credentialsUnreadable(apps: readonly UnreadableCredential[]): void;
  /** New calls are turned away, or taken again, because of how late the event loop is. */
  sheddingChanged(late: boolean, delayMs: number): void;
}

/** Builds log, metrics and events on a registry of their own. */
export function createTelemetry(options: {
  readonly openLog: (onDropped: () => void) => Log;
  readonly dockerTag: string;
  readonly load: LoadFigures;
  readonly limits: LoadLimits;
  /** Origins of the push services. */
  readonly origins: readonly string[];
  readonly countDevices: () => Promise<readonly DeviceCount[]>;
  /** Whether there is a Redis whose health can be told. */
  readonly usesRedis: boolean;
}): Telemetry {
  const registry = new Registry();
  const batch = new MetricBatch();
  const metrics = createServiceMetrics(registry, batch);
  const sampleLag = replaceEventLoopLag(registry);
  createLimitGauges(registry, options.load, options.limits);
  const reference = createReferenceMetrics(registry, batch, options.dockerTag);
  reference.redisHealth.set(options.usesRedis ? 0 : 1);
  const log = options.openLog(() => metrics.logLinesDropped.inc());
  const lines = createLineBudget(log);
  const conditions = createConditions(log);
  const appLabel = createAppLabel();
  const devices = createDeviceCounts(registry, appLabel, options.countDevices);
  const startApp = createAppStart(metrics, appLabel);
  startClosedLabels(metrics, reference, options.origins);
  const http = createHttpTelemetry(metrics, reference, lines, conditions, appLabel);
  return {
    log,
    registry,
    readMetrics: async () => {
      batch.flush();
      sampleLag();
      return readAll(registry);
    },
    http,
    calls: {
      ...createCallTelemetry({ log, metrics, reference, lines, appLabel }),
      storageFailed: http.storageFailed,
    },
    push: createPushTelemetry({ log, metrics, lines, conditions, appLabel }),
    limits: createLimitTelemetry(lines, conditions, metrics),
    close: async () => {
      lines.close();
      conditions.close();
      await log.flush();
    },
    sheddingChanged: (late, delayMs) => {
      log.write(
        late ? 'warn' : 'info',
        late ? 'new calls are turned away: the event loop is late' : 'new calls are taken again',
        { delayMs: Math.round(delayMs) },
      );
    },
    ...createDatabaseTelemetry({ log, metrics, reference, http, conditions }),
    tls: createTlsTelemetry(log, registry),
    bus: createBusTelemetry(log, registry, reference.redisHealth, conditions),
    readiness: createReadinessTelemetry(log, registry, metrics),
    appsKnown: (apps) => {
      for (const app of apps) startApp(app);
      tellExpiries(apps, log, metrics);
    },
    countDevices: () => devices.refresh(),
    credentialsUnreadable: (apps) => tellUnreadable(apps, log, metrics),
  };
}

/** Milliseconds that a scrape may work at a time. */
const SCRAPE_TURN_MS = 5;

/**
 * The registry's text. Calls must not wait for thousands of series at once, so it is made metric by metric; a scrape of few
 * series takes one turn of the event loop, and so is answered also while that is late.
 */
async function readAll(registry: Registry): Promise<string> {
  const texts: string[] = [];
  let turnBegan = monotonic();
  for (const { name } of registry.getMetricsAsArray()) {
    texts.push(await registry.getSingleMetricAsString(name));
    if (monotonic() - turnBegan < SCRAPE_TURN_MS) continue;
    await setImmediate();
    turnBegan = monotonic();
  }
  return `${texts.join('\n\n')}\n`;
}

/** An app, and when its credential stops working. */
export interface KnownApp {
  readonly appId: string;
  readonly platform: string;
  readonly expiresAt: number | undefined;
}

function tellExpiries(apps: readonly KnownApp[], log: Log, metrics: ServiceMetrics): void {
  metrics.credentialExpiry.reset();
  for (const { appId: app, platform, expiresAt } of apps) {
    if (expiresAt === undefined) continue;
    metrics.credentialExpiry.set({ app, platform }, Math.floor(expiresAt / 1000));
    const due = expiryLevel(expiresAt);
    if (due === undefined) continue;
    log.write(due.level, 'the credential of an app expires soon', { app, platform, daysLeft: due.daysLeft });
  }
}

/** An app whose stored credential cannot be read. */
interface UnreadableCredential {
  readonly error: Pick<CredentialUnreadable, 'owner' | 'problem'>;
  /** Whether its phones are woken with the credential that could be read last. */
  readonly kept: boolean;
}

/** One log line for each app, and the metric; an empty list takes the metric back. */
function tellUnreadable(
  apps: readonly UnreadableCredential[],
  log: Log,
  metrics: Pick<ServiceMetrics, 'credentialsUnreadable'>,
): void {
  metrics.credentialsUnreadable.reset();
  for (const { error, kept } of apps) {
    const { platform, appId: app } = error.owner;
    metrics.credentialsUnreadable.set({ app, platform }, 1);
    const effect = kept
      ? 'its phones are woken with the one that was read last until this service restarts'
      : 'its phones cannot be woken';
    log.write('error', `the stored credential of an app cannot be read: ${effect}`, {
      app,
      platform,
      problem: error.problem.kind,
      keyId: error.problem.kind === 'unknown-format' ? undefined : error.problem.keyId,
      configured: error.problem.kind === 'key-missing' ? error.problem.configured.join(', ') : undefined,
    });
  }
}
