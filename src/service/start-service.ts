import { createAppStore } from '../apps/app-store.ts';
import { createCredentialVault } from '../apps/credential-vault.ts';
import { createProviderTokenStore } from '../apps/provider-token-store.ts';
import { createAdmission } from '../calls/admission.ts';
import { createAnswerProofs, NO_PROOFS } from '../calls/answer-proof.ts';
import { takeAnswer } from '../calls/take-answer.ts';
import { type CallDeps, takeCall } from '../calls/take-call.ts';
import { WaitingRoom } from '../calls/waiting-room.ts';
import { attemptsFor } from '../calls/wake-up.ts';
import type { Config } from '../config/config.ts';
import { createCachedDeviceStore } from '../devices/cached-device-store.ts';
import { countDevices } from '../devices/count-devices.ts';
import { createDeviceProbe } from '../devices/device-probe.ts';
import { createDeviceStore } from '../devices/device-store.ts';
import { registerPhone } from '../devices/register-phone.ts';
import { watchEventLoop } from '../lib/event-loop-watch.ts';
import { openWhenAble } from '../storage/open-when-able.ts';
import type { Log } from '../telemetry/log.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { createBusParts } from './bus-parts.ts';
import { buildClientLimits } from './client-limits.ts';
import { createHttpServers } from './http-parts.ts';
import { checkStoredCredentials, keepApps } from './known-apps.ts';
import { createPushParts } from './push-parts.ts';
import { createReadiness } from './readiness.ts';
import { startFields } from './start-fields.ts';
import { closePart, LISTENERS_LIMIT_MS, PART_LIMIT_MS, stopService } from './stopping.ts';
import { createTakeoverNotices } from './takeover-notices.ts';
import { openTls } from './tls-parts.ts';

/** A running service. */
export interface RunningService {
  /** Where apps reach it, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Where PBXs reach it: the same, unless they have a listener of their own. */
  readonly pbxUrl: string;
  /** Where Prometheus reaches it. */
  readonly metricsUrl: string;
  /** Calls that wait now. */
  waiting(): number;
  /** Takes up changed apps now instead of at the next look. */
  refreshApps(): Promise<void>;
  /** Resolves with the reason if the service turns out to be unable to ever do its work; never rejects. */
  readonly broken: Promise<unknown>;
  /** Reads the TLS files again, for new connections; what cannot be used is logged and changes nothing. Never rejects. */
  reload(): Promise<void>;
  /** A doubt about the settings, for the log. */
  warn(text: string): void;
  /**
   * Stops: no new calls, the waiting ones end or get their NAK when the grace is over or `hurry` resolves, then everything
   * closes in reverse order. Resolves at most `STOP_LIMIT_MS` after the grace or `hurry`; never rejects.
   */
  stop(hurry?: Promise<void>): Promise<void>;
}

/**
 * Builds every part once, in order, and starts listening last. What was built is closed again, in reverse, when the
 * service stops or when a later part cannot be built.
 */
export async function startService(
  config: Config,
  openLog: (onDropped: () => void) => Log,
): Promise<RunningService> {
  await using building = new AsyncDisposableStack();
  const { answerProof } = config;
  const proofs = answerProof === undefined ? NO_PROOFS : createAnswerProofs(answerProof);
  const room = new WaitingRoom({
    maxWaiting: config.maxWaitingCalls,
    waitMs: config.waitMs,
    newKey: proofs.newKey,
    answersToCallIds: answerProof?.demanded !== true,
  });
  const loop = watchEventLoop({
    limitMs: config.eventLoopLimitMs,
    onChange: (late, delayMs) => telemetry.sheddingChanged(late, delayMs),
  });
  building.defer(() => loop.stop());
  const onStop = (part: string, close: () => Promise<void>, limitMs = PART_LIMIT_MS) =>
    building.defer(() => closePart(part, close, limitMs, telemetry.log));
  const telemetry = createTelemetry({
    openLog,
    dockerTag: config.dockerTag,
    load: {
      callsWaiting: () => room.requests,
      connections: () => servers.connections(),
      pushesInFlight: () => push.senders.inFlight(),
      loop,
    },
    limits: {
      callsWaiting: config.maxWaitingCalls,
      connections: config.maxConnections,
      pushesInFlight: config.maxPushesInFlight,
      loopDelayMs: config.eventLoopLimitMs,
    },
    origins: [config.apnsUrl, config.apnsSandboxUrl, config.fcmUrl],
    countDevices: async () => {
      const counts = await countDevices(database);
      return (known.apps ?? []).map(({ key, appId, platform }) => ({
        appId,
        platform,
        devices: counts.get(key) ?? 0,
      }));
    },
    usesRedis: config.redis !== undefined,
  });
  building.defer(() => telemetry.close());
  const warn = (text: string) => telemetry.log.write('warn', text, {});

  const tls = openTls(config.tls, telemetry.tls);
  building.defer(() => tls.close());

  const vault = createCredentialVault(config.credentialKeys);
  const opening = await openWhenAble(config.databaseUrl, config.databaseLimits, {
    onAway: telemetry.databaseAway,
    check: (opened) => checkStoredCredentials({ apps: createAppStore(opened, vault), vault, warn }),
  });
  onStop('database', () => opening.close());
  const { database } = opening;
  const devices = createCachedDeviceStore(createDeviceStore(database), {
    seconds: config.deviceCacheSeconds,
    // The server itself gives up a statement in about that time.
    lateMs: 2 * config.databaseLimits.timeoutMs + 1_000,
    events: telemetry.deviceCache,
  });
  const apps = createAppStore(database, vault);

  const push = createPushParts({
    origins: config,
    proxies: config.proxies.push,
    maxInFlight: config.maxPushesInFlight,
    tokens: devices,
    sharedTokens: createProviderTokenStore(database, vault),
    events: telemetry.push,
  });
  onStop('push services', () => push.close());

  const known = keepApps({
    store: apps,
    intervalMs: config.appsRefreshMs,
    senders: push.senders,
    devices,
    telemetry,
  });
  building.defer(() => known.stop());
  await known.refresh();
  const broken = Promise.withResolvers<unknown>();
  opening.opened.then((migrations) => {
    telemetry.databaseOpened(migrations);
    void telemetry.countDevices();
    return known.refresh();
  }, broken.resolve);

  let answerAddress = config.responseApi ?? '';
  const plan = {
    resendMs: config.resendMs,
    maxAttempts: attemptsFor(config.waitMs, config.resendMs),
    responseApiFor: (uniqueKey: string) => proofs.addressFor(answerAddress, uniqueKey),
  };
  const between = createBusParts({ settings: config.redis, room, events: telemetry.bus });
  onStop('redis', () => between.close());
  const { bus } = between;
  const calls: CallDeps = {
    admission: createAdmission({
      devices,
      waiting: () => room.requests,
      maxWaiting: config.maxWaitingCalls,
      isLate: () => loop.late,
    }),
    room,
    bus,
    plan,
    events: telemetry.calls,
    pusher: {
      send: (request) => {
        const send = () => push.sender.send(request);
        // An app that was added since the last look: its first call need not wait for the next one.
        return push.senders.get(request.device.appKey) === undefined ? known.refresh().then(send) : send();
      },
    },
  };
  const notices = config.takeoverNotice ? createTakeoverNotices(push.sender) : undefined;
  let draining = false;
  const readiness = createReadiness({
    database,
    poolSize: config.databaseLimits.poolSize,
    probe: createDeviceProbe(database),
    holdsDevices: devices.holdsDevices,
    bus: between,
    isStopping: () => draining,
    isOverloaded: () => loop.late || room.size >= config.maxWaitingCalls,
    apps: known.counts,
    events: { ...telemetry.readiness, databaseHealth: telemetry.databaseHealth },
  });
  building.defer(() => readiness.stop());
  const servers = createHttpServers(config, {
    devices,
    telemetry,
    tls: tls.listener,
    isDraining: () => draining,
    readiness: readiness.look,
    takeCall: (ask, caller) => takeCall(calls, ask, caller),
    answerProof: answerProof && { proves: proofs.proves, demanded: answerProof.demanded },
    cancelCall: (callId, reason) => bus.cancel(callId, reason),
    answer: (uniqueKey, available) => takeAnswer({ bus, events: telemetry.calls }, uniqueKey, available),
    limits: buildClientLimits({
      settings: config,
      link: between.redis,
      prefix: config.redis?.prefix ?? '',
      events: telemetry.limits,
    }),
    register: (phone) => registerPhone({ devices, notices }, phone, Date.now()),
  });
  onStop('listeners', () => servers.close(LISTENERS_LIMIT_MS), LISTENERS_LIMIT_MS + PART_LIMIT_MS);
  const { url, pbxUrl, metricsUrl } = await servers.listen();
  readiness.start();
  if (config.responseApi === undefined) answerAddress = new URL('/api/call-response/', url).href;
  telemetry.log.write('info', 'listening', {
    url,
    ...(config.pbxListener === undefined ? {} : { pbxUrl }),
    metricsUrl,
    ...startFields(config, known.apps),
  });
  void telemetry.countDevices();

  const running = building.move();
  let stopping: Promise<void> | undefined;
  return {
    url,
    pbxUrl,
    metricsUrl,
    waiting: () => room.size,
    refreshApps: () => known.refresh(),
    broken: broken.promise,
    reload: () => tls.reload(),
    warn,
    stop: (hurry = new Promise(() => {})) => {
      draining = true;
      stopping ??= stopService({
        room,
        graceMs: config.shutdownGraceMs,
        hurry,
        log: telemetry.log,
        everything: running,
      });
      return stopping;
    },
  };
}
