import type { ChannelEvents } from '../http2/channel-types.ts';
import type { BreakerState } from '../push/breaker.ts';
import type { AppLabels, PushEnded, PushEvents, PushLabels } from '../push/push-events.ts';
import type { PushEnvironment } from '../push/push-provider.ts';
import type { PushResult } from '../push/push-result.ts';
import type { AppLabel } from './app-label.ts';
import { createChannelTelemetry } from './channel-telemetry.ts';
import type { Conditions } from './conditions.ts';
import { errorWords } from './describe-error.ts';
import { databaseDown } from './http-telemetry.ts';
import type { LineBudget } from './line-budget.ts';
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

const WRONG_TOPIC = 'the push service does not let the credential push to this app id';

/** Faults that are not in what was sent, by their reason. */
const FAULT_WORDS: Readonly<Record<string, string>> = {
  TopicDisallowed: WRONG_TOPIC,
  BadTopic: WRONG_TOPIC,
  THIRD_PARTY_AUTH_ERROR: "Firebase lacks a usable credential for this phone's own push service",
  malformed: "a push service's answer is too large, or the push cannot be sent as HTTP/2",
  'notice-unsupported': 'the push service cannot carry this notice',
};

/** The gauge's values. */
const BREAKER_VALUES = { closed: 0, 'half-open': 1, open: 2 } as const satisfies Record<BreakerState, number>;

const ENVIRONMENTS = ['production', 'sandbox'] as const satisfies readonly PushEnvironment[];

/** What the events of the push services move and write. */
interface PushTelemetryDeps {
  readonly log: Log;
  readonly metrics: ServiceMetrics;
  readonly lines: LineBudget;
  readonly conditions: Conditions;
  readonly appLabel: AppLabel;
}

/** Lines a minute about an app's pushes that fail or are tried again: an outage makes every push do so. */
const LINES_OF_PUSHES = 300;

/** Log line and metric of everything between us and the push services. */
export function createPushTelemetry(deps: PushTelemetryDeps): PushEvents & ChannelEvents {
  const { log, metrics, lines, conditions, appLabel } = deps;
  return {
    ...createChannelTelemetry(deps),
    ...tokenTelemetry(deps),
    pushEnded: (event) => {
      const { provider, reason, kind } = event;
      metrics.pushes.inc({ app: appLabel(event.appId), provider, reason });
      if (kind === 'accepted') metrics.pushAccepted.observe({ provider }, event.tookMs / 1000);
      const level = RESULT_LEVELS[kind];
      if (!log.isOn(level)) return;
      const fields = { ...said(event), tookMs: Math.round(event.tookMs), tries: event.tries };
      if (kind === 'failed')
        lines.write(`push failed ${event.app}`, level, 'push failed', fields, LINES_OF_PUSHES);
      else log.write(level, `push ${kind}`, fields);
    },
    pushRetried: (event) => {
      metrics.pushRetries.inc({ app: appLabel(event.appId), provider: event.provider, reason: event.reason });
      const fields = { ...said(event), inMs: Math.round(event.inMs) };
      lines.write(`push tried again ${event.app}`, 'info', 'push tried again', fields, LINES_OF_PUSHES);
    },
    breakerChanged: (event) => {
      const { appId: app, environment, state, reason, detail } = event;
      metrics.breakerState.set({ app, platform: event.platform, environment }, BREAKER_VALUES[state]);
      const key = `breaker ${event.app} ${environment}`;
      const fields = { ...appFields(event), environment, state, reason, detail };
      switch (state) {
        case 'open':
          // One that opens again after its probe is the same condition: told once, then once a minute.
          if (conditions.timesMet(key) > 0) log.write('debug', 'push service breaker open', fields);
          conditions.met({
            key,
            level: 'error',
            message: 'push service breaker open',
            fields,
            ends: 'by-event',
          });
          break;
        case 'half-open':
          log.write('debug', 'push service breaker half-open', fields);
          break;
        case 'closed':
          conditions.over(key, 'push service works again', fields);
          break;
        default:
          state satisfies never;
      }
    },
    appRetired: (event) => {
      const { appId: app, platform } = event;
      for (const environment of ENVIRONMENTS) conditions.forget(`breaker ${event.app} ${environment}`);
      for (const environment of ENVIRONMENTS) metrics.breakerState.remove({ app, platform, environment });
      log.write('info', 'app changed or removed', appFields(event));
    },
    pushRefused: (event) => {
      metrics.pushesRefused.inc({
        app: appLabel(event.appId),
        platform: event.platform,
        reason: event.reason,
      });
      lines.write(
        `push refused ${event.app}`,
        'warn',
        "push refused for this phone alone: the app's credential works for others",
        said(event),
        LINES_OF_PUSHES,
      );
    },
    appFault: (event) => {
      metrics.faults.inc({ app: appLabel(event.appId), platform: event.platform, reason: event.reason });
      conditions.met({
        key: `app fault ${event.app} ${event.reason}`,
        level: 'error',
        message: "the app's credential is not accepted: its phones cannot be woken",
        fields: {
          ...appFields(event),
          reason: event.reason,
          detail: event.detail,
          error: event.error === undefined ? undefined : errorWords(event.error),
        },
        ends: 'by-silence',
      });
    },
    ourFault: (event) => {
      metrics.faults.inc({ app: appLabel(event.appId), platform: event.platform, reason: event.reason });
      conditions.met({
        key: `our fault ${event.app} ${event.reason}`,
        level: 'error',
        message:
          event.error === undefined
            ? (FAULT_WORDS[event.reason] ?? 'the push service calls our message wrong')
            : 'a push failed by a fault of this service',
        fields: said(event),
        error: event.error,
        ends: 'by-silence',
      });
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

function tokenTelemetry({ log, metrics, conditions, appLabel }: PushTelemetryDeps): TokenEvents {
  return {
    tokenDropped: (event) => {
      metrics.tokensDropped.inc({
        app: appLabel(event.appId),
        provider: event.provider,
        reason: event.reason,
      });
      log.write('info', 'phone removed: its push token is dead', said(event));
    },
    tokenKept: (event) => {
      metrics.tokensKept.inc({
        app: appLabel(event.appId),
        provider: event.provider,
        because: event.because,
      });
      log.write(
        event.alarm ? 'error' : 'info',
        event.alarm
          ? "many tokens of this app are refused and none is taken: look at the app's setup; no phone was removed"
          : 'refused push token kept',
        { ...said(event), because: event.because },
      );
    },
    tokenStoreFailed: (event) => {
      metrics.storageFailures.inc();
      conditions.met(databaseDown('updating a push token', event.error));
    },
    apnsTokenMinted: ({ teamId, keyId }) => log.write('info', 'Apple provider token made', { teamId, keyId }),
    apnsTokenNotShared: ({ keyId, error }) => {
      metrics.storageFailures.inc();
      conditions.met({
        key: 'apns token not shared',
        level: 'error',
        message: "the database's Apple provider token could not be used; made another one",
        fields: { keyId },
        error,
        ends: 'by-silence',
      });
    },
    fcmTokenFetched: ({ project, tookMs }) => {
      log.write('info', 'Google access token fetched', { project, tookMs: Math.round(tookMs) });
      conditions.over(`google token ${project}`, 'Google gives access tokens again', { project });
    },
    fcmTokenFailed: ({ project, kind, reason, detail }) => {
      metrics.oauthFailures.inc({ reason });
      conditions.met({
        key: `google token ${project}`,
        level: kind === 'app-fault' ? 'error' : 'warn',
        message: 'Google access token not given',
        fields: { project, reason, detail },
        ends: 'by-event',
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

/** A push and what its provider said of it. */
function said(event: PushLabels & Pick<PushEnded, 'reason' | 'detail'>) {
  return {
    ...pushFields(event),
    reason: event.reason,
    detail: event.detail,
  };
}
