import { setTimeout as delay } from 'node:timers/promises';
import { watchApps } from './app/app-watcher.ts';
import { createBusParts } from './app/bus-parts.ts';
import { checkStoredCredentials } from './app/check-stored-credentials.ts';
import { buildClientLimits } from './app/client-limits.ts';
import { createHttpServers } from './app/http-parts.ts';
import { createPushParts } from './app/push-parts.ts';
import { createReadiness } from './app/readiness.ts';
import { appsByPlatform, startFields } from './app/start-fields.ts';
import { createTakeoverNotices } from './app/takeover-notices.ts';
import { openTls } from './app/tls-parts.ts';
import { createAdmission } from './calls/admission.ts';
import { createAnswerProofs, NO_PROOFS } from './calls/answer-proof.ts';
import { takeAnswer } from './calls/take-answer.ts';
import { type CallParts, takeCall } from './calls/take-call.ts';
import { WaitingRoom } from './calls/waiting-room.ts';
import { attemptsFor } from './calls/wake-up.ts';
import type { Config } from './config/config.ts';
import type { App } from './devices/app.ts';
import { credentialExpiry } from './devices/app-credential/credential-expiry.ts';
import { createAppStore } from './devices/app-store.ts';
import { createCachedDeviceStore } from './devices/cached-device-store.ts';
import { countDevices } from './devices/count-devices.ts';
import { createCredentialVault } from './devices/credential-vault.ts';
import { createDeviceProbe } from './devices/device-probe.ts';
import { createDeviceStore } from './devices/device-store.ts';
import { createProviderTokenStore } from './devices/provider-token-store.ts';
import { registerPhone } from './devices/register-phone.ts';
import { watchEventLoop } from './lib/event-loop-watch.ts';
import { within } from './lib/within.ts';
import { openWhenAble } from './storage/open-when-able.ts';
import type { Log } from './telemetry/log.ts';
import { createTelemetry, type KnownApp } from './telemetry/telemetry.ts';

/** A running service. */
export interface RunningApp {
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

/** Milliseconds that answers already given may take to leave the listeners, and that every other part may take to close. */
const LISTENERS_LIMIT_MS = 4_000;
const PART_LIMIT_MS = 1_000;
/** Milliseconds between the signal and the end of the listeners: clients that keep their connections hear that it ends. */
const NOTICE_MS = 500;
const DAY_MS = 86_400_000;

/** Milliseconds that stopping takes at most once no call waits: every part has a limit of its own besides. */
export const STOP_LIMIT_MS = 8_000;

const NO_APPS = 'there are no apps: no phone can register or be woken; run: vialer-middleware apps add';

/**
 * Builds every part once, in order, and starts listening last. What was built is closed again, in reverse, when the
 * service stops or when a later part cannot be built.
 */
export async function startApp(config: Config, openLog: (onDropped: () => void) => Log): Promise<RunningApp> {
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
    building.defer(async () => {
      try {
        if (await within(close(), limitMs)) return;
        telemetry.log.write('warn', 'stopping: a part does not close and is left', { part });
      } catch (error) {
        telemetry.log.writeError('stopping: a part could not be closed', error, { part });
      }
    });
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
      return (knownApps ?? []).map(({ key, appId, platform }) => ({
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

  let expiries: readonly KnownApp[] = [];
  let unreadable: number | undefined;
  let knownApps: readonly App[] | undefined;
  const watcher = watchApps({
    store: apps,
    intervalMs: config.appsRefreshMs,
    onApps: (known) => {
      push.senders.update(known);
      if (known.length === 0 && knownApps?.length !== 0) warn(NO_APPS);
      else telemetry.log.write('info', 'apps read', { apps: appsByPlatform(known) });
      knownApps = known;
      devices.appsKnown(known.map(({ key }) => key));
      expiries = known.map((app) => ({ ...app, expiresAt: credentialExpiry(app.credential) }));
      telemetry.appsKnown(expiries);
    },
    onUnreadable: (found) => {
      unreadable = found.length;
      telemetry.credentialsUnreadable(found);
    },
    onError: (error) => telemetry.http.storageFailed({ during: 'reading the apps', error }),
  });
  building.defer(() => watcher.stop());
  // A service that runs for months has to tell of a certificate that expires meanwhile.
  const daily = setInterval(() => telemetry.appsKnown(expiries), DAY_MS);
  building.defer(() => clearInterval(daily));
  await watcher.refresh();
  const broken = Promise.withResolvers<unknown>();
  opening.opened.then((migrations) => {
    telemetry.databaseOpened(migrations);
    void telemetry.countDevices();
    return watcher.refresh();
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
  const calls: CallParts = {
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
        return push.senders.get(request.device.appKey) === undefined ? watcher.refresh().then(send) : send();
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
    apps: () => (unreadable === undefined ? undefined : { known: expiries.length, unreadable }),
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
    ...startFields(config, knownApps),
  });
  void telemetry.countDevices();

  const running = building.move();
  let stopping: Promise<void> | undefined;
  const stop = async (hurry: Promise<void>): Promise<void> => {
    draining = true;
    const noticed = Promise.race([delay(NOTICE_MS, undefined, { ref: false }), hurry]);
    telemetry.log.write('info', 'stopping: no new calls', { waiting: room.size });
    await Promise.race([room.whenEmpty(config.shutdownGraceMs), hurry]);
    room.close();
    await noticed;
    await within(running.disposeAsync(), STOP_LIMIT_MS);
  };
  return {
    url,
    pbxUrl,
    metricsUrl,
    waiting: () => room.size,
    refreshApps: () => watcher.refresh(),
    broken: broken.promise,
    reload: () => tls.reload(),
    warn,
    stop: (hurry = new Promise(() => {})) => {
      stopping ??= stop(hurry);
      return stopping;
    },
  };
}
