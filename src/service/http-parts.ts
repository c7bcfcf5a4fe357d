import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { CALL_OUTCOMES } from '../calls/call-outcome.ts';
import type { Config } from '../config/config.ts';
import type { ListenAddress } from '../config/pbx-listener-settings.ts';
import type { DeviceStore } from '../devices/device-store.ts';
import { type AccountAccess, openAccess } from '../http/access/account-access.ts';
import { certificateRefusal } from '../http/access/client-certificate.ts';
import type { ClientLimits } from '../http/access/limits/client-limits.ts';
import { createPbxAccess } from '../http/access/pbx-access.ts';
import { createPlatformAccess } from '../http/access/platform-api.ts';
import { createMetricsServer } from '../http/listener/metrics-server.ts';
import type { TlsListener } from '../http/listener/tls-listener.ts';
import { openApiDocument } from '../http/openapi/openapi-document.ts';
import type { AnswerDeps } from '../http/routes/answer-routes.ts';
import type { DeviceDeps } from '../http/routes/device-routes.ts';
import type { Readiness } from '../http/routes/ops-routes.ts';
import type { PbxDeps } from '../http/routes/pbx-routes.ts';
import { createServer, type ServerDeps } from '../http/server.ts';
import { errorCode } from '../lib/error-code.ts';
import { packageVersion } from '../lib/package-version.ts';
import { within } from '../lib/within.ts';
import { StorageUnavailable } from '../storage/storage-unavailable.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** What the listeners are given. */
export interface HttpServerDeps {
  readonly devices: DeviceStore;
  readonly telemetry: Telemetry;
  /** Undefined: plain HTTP. */
  readonly tls?: TlsListener | undefined;
  readonly isDraining: () => boolean;
  readonly readiness: () => Promise<Readiness>;
  readonly takeCall: PbxDeps['takeCall'];
  readonly cancelCall: PbxDeps['cancelCall'];
  readonly answer: AnswerDeps['answer'];
  readonly limits: ClientLimits;
  readonly answerProof: AnswerDeps['proof'];
  readonly register: DeviceDeps['register'];
}

/** Where the listeners are reached. */
export interface ListenUrls {
  readonly url: string;
  /** The same as `url` where PBXs have no listener of their own. */
  readonly pbxUrl: string;
  readonly metricsUrl: string;
}

/** The listeners: for PBXs and apps one or two, and one for Prometheus. */
export interface HttpServers {
  /** Resolves with the addresses once all listen. */
  listen(): Promise<ListenUrls>;
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

/**
 * Requests that may wait for the platform API, and the part of MAX_CONNECTIONS that they may take: a connection with such a
 * request is not closed for another one.
 */
const MAX_QUESTIONS = 512;
const QUESTIONS_SHARE = 1 / 4;

/** Builds the listeners on their parts. */
export function createHttpServers(config: Config, deps: HttpServerDeps): HttpServers {
  const { telemetry, devices, limits } = deps;
  const events = telemetry.http;
  const access = accountAccess(config, deps);
  const { readiness } = deps;
  const served: Omit<ServerDeps, ServerShare> = {
    pbx: {
      ...deps,
      limit: limits.pbx,
      refusal: pbxAccess(config),
      events,
    },
    answers: { answer: deps.answer, proof: deps.answerProof, limits, events },
    devices: {
      access,
      limit: limits.accounts,
      rate: limits.registrations,
      register: deps.register,
      devices,
      events,
    },
    reports: { access, limit: limits.accounts, devices, events },
    ops: {
      readiness,
      openApi: JSON.stringify(
        openApiDocument({
          version: packageVersion(),
          outcomes: CALL_OUTCOMES,
          appApiUrl: config.responseApi && new URL(config.responseApi).origin,
          hasPbxListener: config.pbxListener !== undefined,
        }),
      ),
    },
    trustProxy: config.trustProxy,
    keepAliveMs: config.keepAliveMs,
    tls: deps.tls,
    isStorageError: (error) => error instanceof StorageUnavailable,
    events,
  };
  const { main: server, pbx } = createListeners(config, served);
  const metrics = createMetricsServer({
    readiness,
    onClosed: (why) => events.connectionClosed({ why }),
    read: async () => {
      await readiness();
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
      const schemed = (url: string) => (deps.tls === undefined ? url : url.replace('http:', 'https:'));
      const url = schemed(await listenOn(server, config.host, config.port, 'HOST or PORT'));
      if (pbx === undefined) return { url, pbxUrl: url, metricsUrl };
      // Last, because from here on calls come in.
      const pbxUrl = await listenOn(pbx.server, pbx.host, pbx.port, 'PBX_HOST or PBX_PORT');
      return { url, pbxUrl: schemed(pbxUrl), metricsUrl };
    },
    connections: async () => {
      const open = [server, ...(pbx === undefined ? [] : [pbx.server])].map((each) =>
        promisify<number>((done) => each.server.getConnections(done))(),
      );
      return (await Promise.all(open)).reduce((sum, each) => sum + each, 0);
    },
    close: async (limitMs) => {
      const ours = pbx === undefined ? [server] : [server, pbx.server];
      await Promise.all([...ours.map((each) => closeServer(each, limitMs)), closeServer(metrics, limitMs)]);
      await access.close();
    },
  };
}

/** What differs between two listeners. */
type ServerShare = 'serves' | 'maxConnections' | 'connectionsBeyond';

/** The listener of apps and PBXs, or one for each, which then share MAX_CONNECTIONS: a flood on one leaves the other its part. */
function createListeners(
  { pbxListener, maxConnections, connectionsBeyond, maxWaitingCalls }: Config,
  served: Omit<ServerDeps, ServerShare>,
): { readonly main: FastifyInstance; readonly pbx?: ListenAddress & { readonly server: FastifyInstance } } {
  if (pbxListener === undefined)
    return { main: createServer({ ...served, serves: 'everything', maxConnections, connectionsBeyond }) };
  const forPbxs = Math.min(maxWaitingCalls, Math.floor(maxConnections / 2));
  const beyond = Math.floor(connectionsBeyond / 2);
  const server = createServer({
    ...served,
    serves: 'pbxs',
    maxConnections: forPbxs,
    connectionsBeyond: beyond,
  });
  return {
    main: createServer({
      ...served,
      serves: 'apps',
      maxConnections: maxConnections - forPbxs,
      connectionsBeyond: connectionsBeyond - beyond,
    }),
    pbx: { ...pbxListener, server },
  };
}

function pbxAccess(config: Config): PbxDeps['refusal'] {
  const { pbx, trustProxy } = config;
  return createPbxAccess({
    ...pbx,
    certificate: pbx.certificate ? certificateRefusal : undefined,
    trustProxy,
  });
}

function accountAccess(config: Config, deps: HttpServerDeps): AccountAccess {
  const { accountAuth } = config;
  if (accountAuth.kind === 'none') return openAccess;
  return createPlatformAccess({
    ...accountAuth,
    maxQuestions: Math.min(MAX_QUESTIONS, Math.floor(config.maxConnections * QUESTIONS_SHARE)),
    proxy: config.proxies.accounts(new URL(accountAuth.baseUrl)).proxy,
    events: deps.telemetry.http,
  });
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
    const code = errorCode(error) ?? 'unknown error';
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
async function closeServer(server: FastifyInstance, limitMs: number): Promise<void> {
  const closed = server.close();
  if (!(await within(closed, limitMs))) {
    server.server.closeAllConnections();
    await closed;
  }
}
