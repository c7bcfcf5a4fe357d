import type { BreakerState } from '../push/breaker.ts';
import type { ChannelEvents } from '../push/http2-channel-types.ts';
import type { AppLabels, PushEvents, PushLabels } from '../push/push-events.ts';
import type { PushEnvironment } from '../push/push-provider.ts';
import type { PushResult } from '../push/push-result.ts';
import type { Log, LogLevel } from './log.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** How loudly each end of a push is logged: the call's own line tells what became of the call. */
const RESULT_LEVELS = {
  accepted: 'debug',
  'token-gone': 'info',
  failed: 'warn',
  'provider-down': 'debug',
  overloaded: 'debug',
  withdrawn: 'debug',
} as const satisfies Record<PushResult['kind'], LogLevel>;

/** The gauge's values. */
const BREAKER_VALUES = { closed: 0, 'half-open': 1, open: 2 } as const satisfies Record<BreakerState, number>;

const ENVIRONMENTS = ['production', 'sandbox'] as const satisfies readonly PushEnvironment[];

/** Log line and metric of everything between us and the push services. */
export function createPushTelemetry(log: Log, metrics: ServiceMetrics): PushEvents & ChannelEvents {
  return {
    ...channelTelemetry(log, metrics),
    ...tokenTelemetry(log, metrics),
    pushEnded: (event) => {
      const { provider, reason, kind } = event;
      metrics.pushes.inc({ app: event.appId, provider, reason });
      if (kind === 'accepted') metrics.pushAccepted.observe({ provider }, event.tookMs / 1000);
      const level = RESULT_LEVELS[kind];
      if (!log.isOn(level)) return;
      log.write(level, `push ${kind}`, {
        ...pushFields(event),
        reason,
        tookMs: Math.round(event.tookMs),
        tries: event.tries,
      });
    },
    pushRetried: (event) => {
      metrics.pushRetries.inc({ app: event.appId, provider: event.provider, reason: event.reason });
      log.write('info', 'push tried again', { ...pushFields(event), reason: event.reason, inMs: event.inMs });
    },
    breakerChanged: (event) => {
      const { appId: app, environment, state, reason } = event;
      metrics.breakerState.set({ app, platform: event.platform, environment }, BREAKER_VALUES[state]);
      log.write(
        state === 'open' ? 'error' : 'warn',
        `push service ${state === 'closed' ? 'works again' : `breaker ${state}`}`,
        {
          ...appFields(event),
          environment,
          state,
          reason,
        },
      );
    },
    appRetired: (event) => {
      const { appId: app, platform } = event;
      for (const environment of ENVIRONMENTS) metrics.breakerState.remove({ app, platform, environment });
      log.write('info', 'app changed or removed', appFields(event));
    },
    pushRefused: (event) => {
      metrics.pushesRefused.inc({ app: event.appId, platform: event.platform, reason: event.reason });
      log.write('warn', "push refused for this phone alone: the app's credential works for others", {
        ...pushFields(event),
        reason: event.reason,
      });
    },
    appFault: (event) => {
      metrics.faults.inc({ app: event.appId, platform: event.platform, reason: event.reason });
      const fields = { ...appFields(event), reason: event.reason };
      const message = "the app's credential is not accepted: its phones cannot be woken";
      if (event.error === undefined) log.write('error', message, fields);
      else log.writeError(message, event.error, fields);
    },
    ourFault: (event) => {
      metrics.faults.inc({ app: event.appId, platform: event.platform, reason: event.reason });
      const fields = { ...pushFields(event), reason: event.reason };
      if (event.error === undefined) log.write('error', 'the push service calls our message wrong', fields);
      else log.writeError('a push failed by a fault of this service', event.error, fields);
    },
    appCloseFailed: (event) =>
      log.writeError('connections of an app did not close', event.error, appFields(event)),
  };
}

type TokenEvents = Pick<
  PushEvents,
  | 'tokenDropped'
  | 'tokenKept'
  | 'tokenStoreFailed'
  | 'apnsTokenMinted'
  | 'apnsTokenNotShared'
  | 'fcmTokenFetched'
  | 'fcmTokenFailed'
>;

function tokenTelemetry(log: Log, metrics: ServiceMetrics): TokenEvents {
  return {
    tokenDropped: (event) => {
      metrics.tokensDropped.inc({ app: event.appId, provider: event.provider, reason: event.reason });
      log.write('info', 'phone removed: its push token is dead', {
        ...pushFields(event),
        reason: event.reason,
      });
    },
    tokenKept: (event) => {
      metrics.tokensKept.inc({ app: event.appId, provider: event.provider, because: event.because });
      log.write(
        event.alarm ? 'error' : 'info',
        event.alarm
          ? "many tokens of this app are refused and none is taken: look at the app's setup; no phone was removed"
          : 'refused push token kept',
        { ...pushFields(event), reason: event.reason, because: event.because },
      );
    },
    tokenStoreFailed: (event) => {
      metrics.storageFailures.inc();
      log.writeError('a push token could not be updated in the database', event.error, pushFields(event));
    },
    apnsTokenMinted: ({ teamId, keyId }) => log.write('info', 'Apple provider token made', { teamId, keyId }),
    apnsTokenNotShared: ({ keyId, error }) => {
      metrics.storageFailures.inc();
      log.writeError("the database's Apple provider token could not be used; made another one", error, {
        keyId,
      });
    },
    fcmTokenFetched: ({ tookMs }) =>
      log.write('info', 'Google access token fetched', { tookMs: Math.round(tookMs) }),
    fcmTokenFailed: ({ kind, reason, error }) => {
      metrics.oauthFailures.inc({ reason });
      log.write(kind === 'app-fault' ? 'error' : 'warn', 'Google access token not given', {
        reason,
        detail: error?.message,
      });
    },
  };
}

function channelTelemetry(log: Log, metrics: ServiceMetrics): ChannelEvents {
  return {
    channelConnected: ({ origin, tookMs }) => {
      metrics.channelConnects.inc({ origin });
      metrics.channelConnections.inc({ origin });
      log.write('info', 'connected to push service', { origin, tookMs: Math.round(tookMs) });
    },
    channelConnectFailed: ({ origin, error, retryInMs }) => {
      metrics.channelConnectFailures.inc({ origin });
      log.writeError('push service cannot be reached', error, { origin, retryInMs: Math.round(retryInMs) });
    },
    channelLost: ({ origin, cause, detail, inFlight }) => {
      metrics.channelLosses.inc({ origin, cause });
      metrics.channelConnections.dec({ origin });
      log.write(cause === 'ping-timeout' ? 'warn' : 'info', `connection to push service ended: ${cause}`, {
        origin,
        detail,
        inFlight,
      });
    },
  };
}

function appFields(event: AppLabels) {
  return { app: event.appId, platform: event.platform };
}

function pushFields(event: PushLabels) {
  return {
    ...appFields(event),
    call: event.uniqueKey ?? undefined,
    account: event.account,
    push: event.pushId,
    attempt: event.attempt,
  };
}
