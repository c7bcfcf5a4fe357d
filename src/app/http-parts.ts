import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { CALL_OUTCOMES } from '../calls/call-outcome.ts';
import type { Config } from '../config/config.ts';
import type { DeviceStore } from '../devices/device-store.ts';
import { type AccountAccess, openAccess } from '../http/account-access.ts';
import type { AnswerParts } from '../http/answer-routes.ts';
import { certificateRefusal } from '../http/client-certificate.ts';
import type { DeviceParts } from '../http/device-routes.ts';
import type { ClientLimits } from '../http/limits/client-limits.ts';
import { createMetricsServer } from '../http/metrics-server.ts';
import { openApiDocument } from '../http/openapi.ts';
import type { Readiness } from '../http/ops-routes.ts';
import { createPbxAccess } from '../http/pbx-access.ts';
import type { PbxParts } from '../http/pbx-routes.ts';
import { createPlatformAccess } from '../http/platform-api.ts';
import { createServer } from '../http/server.ts';
import type { TlsListener } from '../http/tls-listener.ts';
import { packageVersion } from '../lib/package-version.ts';
import { sharedRun } from '../lib/shared-run.ts';
import { within } from '../lib/within.ts';
import { StorageUnavailable } from '../storage/storage-unavailable.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { BusParts } from './bus-parts.ts';

/** What the listeners are given. */
export interface HttpServerParts {
  readonly devices: DeviceStore;
  readonly telemetry: Telemetry;
  /** Undefined: plain HTTP. */
  readonly tls?: TlsListener | undefined;
  readonly isDraining: () => boolean;
  readonly pingDatabase: () => Promise<void>;
  readonly bus: Pick<BusParts, 'degraded' | 'notReady'>;
  readonly takeCall: PbxParts['takeCall'];
  readonly cancelCall: PbxParts['cancelCall'];
  readonly answer: AnswerParts['answer'];
  readonly limits: ClientLimits;
  readonly answerProof: AnswerParts['proof'];
  readonly register: DeviceParts['register'];
}

/** Both listeners: one for PBXs and apps, one for Prometheus. */
export interface HttpServers {
  /** Resolves with the addresses once both listen. */
  listen(): Promise<{ readonly url: string; readonly metricsUrl: string }>;
  /** Open connections of PBXs and apps. */
  connections(): Promise<number>;
  /** Lets requests in flight end for at most `limitMs`, then cuts connections. */
  close(limitMs: number): Promise<void>;
}

/**
 * Connections that may wait to be accepted: thousands of phones answer at the same moment after an outage. The kernel's
 * own limit (net.core.somaxconn, usually 4096) still holds.
 */
const BACKLOG = 4_096;

/** Milliseconds within which the database must answer a readiness probe. */
const PING_LIMIT_MS = 1_000;

/** Builds the listeners on their parts. */
export function createHttpServers(config: Config, parts: HttpServerParts): HttpServers {
  const { telemetry, devices, limits } = parts;
  const events = telemetry.http;
  const access = accountAccess(config, parts);
  // Whoever reaches the service may probe it: the probes must not take the connections that calls need.
  const askDatabase = sharedRun(() => databaseReadiness(parts));
  const readiness = async (): Promise<Readiness> => {
    const database = await askDatabase();
    return {
      notReady: [...(parts.isDraining() ? ['stopping'] : []), ...database.notReady, ...parts.bus.notReady()],
      degraded: [...database.degraded, ...parts.bus.degraded()],
    };
  };
  const server = createServer({
    pbx: {
      ...parts,
      limit: limits.pbx,
      refusal: pbxAccess(config),
      events,
    },
    answers: { answer: parts.answer, proof: parts.answerProof, limits, events },
    devices: { access, limit: limits.accounts, register: parts.register, devices, events },
    reports: { access, limit: limits.accounts, devices, events },
    ops: {
      readiness,
      openApi: JSON.stringify(openApiDocument({ version: packageVersion(), outcomes: CALL_OUTCOMES })),
    },
    trustProxy: config.trustProxy,
    maxConnections: config.maxConnections,
    tls: parts.tls,
    isStorageError: (error) => error instanceof StorageUnavailable,
    events,
  });
  const metrics = createMetricsServer({
    readiness,
    read: async () => {
      await askDatabase();
      return { contentType: telemetry.registry.contentType, text: await telemetry.readMetrics() };
    },
  });
  return {
    listen: async () => {
      const metricsUrl = await listenOn(
        metrics,
        config.metricsHost,
        config.metricsPort,
        'PROMETHEUS_HOST or PROMETHEUS_PORT',
      );
      // Last, because from here on calls come in.
      const url = await listenOn(server, config.host, config.port, 'HOST or PORT');
      return { url: parts.tls === undefined ? url : url.replace('http:', 'https:'), metricsUrl };
    },
    connections: () => promisify<number>((done) => server.server.getConnections(done))(),
    close: async (limitMs) => {
      await Promise.all([closeServer(server, limitMs, parts.tls), closeServer(metrics, limitMs)]);
      await access.close();
    },
  };
}

function pbxAccess(config: Config): PbxParts['refusal'] {
  const { pbx, trustProxy } = config;
  return createPbxAccess({
    ...pbx,
    certificate: pbx.certificate ? certificateRefusal : undefined,
    trustProxy,
  });
}

function accountAccess(config: Config, parts: HttpServerParts): AccountAccess {
  const { accountAuth } = config;
  if (accountAuth.kind === 'none') return openAccess;
  return createPlatformAccess({ ...accountAuth, events: parts.telemetry.http });
}

/** What the database can do now. One that can only be read is as good for calls as any. */
async function databaseReadiness({ pingDatabase, telemetry }: HttpServerParts): Promise<Readiness> {
  const { notReady = [], degraded = [] }: Partial<Readiness> = await within(
    pingDatabase(),
    PING_LIMIT_MS,
  ).then(
    (inTime) => (inTime ? {} : { notReady: ['the database does not answer'] }),
    (error: unknown) => {
      telemetry.http.storageFailed({ during: 'a readiness probe', error });
      if (!(error instanceof StorageUnavailable)) return { notReady: ['the database does not answer'] };
      return error.fault === 'read-only'
        ? { degraded: [`phones cannot register: ${error.explanation}`] }
        : { notReady: [`the database does not answer: ${error.explanation}`] };
    },
  );
  telemetry.databaseHealth(notReady.length === 0);
  return { notReady, degraded };
}

async function listenOn(
  server: FastifyInstance,
  host: string,
  port: number,
  settings: string,
): Promise<string> {
  try {
    await server.listen({ host, port, backlog: BACKLOG });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${code})`;
    throw new Error(`${host}:${port} ${why}; set ${settings}`, { cause: error });
  }
  return urlOf(host, server.server.address());
}

function urlOf(host: string, address: AddressInfo | string | null): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Fastify closes when the last request has ended; whoever keeps a request open past the limit is cut off. */
async function closeServer(server: FastifyInstance, limitMs: number, tls?: TlsListener): Promise<void> {
  const closed = server.close();
  if (!(await within(closed, limitMs))) {
    server.server.closeAllConnections();
    tls?.cutConnections();
    await closed;
  }
}
