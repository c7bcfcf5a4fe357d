import type { Clock } from '../lib/clock.ts';
import { saidBy } from './answer-detail.ts';
import type { AppSender } from './app-sender.ts';
import type { AppSenders } from './app-senders.ts';
import type { PushLabels, SenderEvents } from './push-events.ts';
import type { FinalVerdict, PushProvider, PushRequest } from './push-provider.ts';
import type { PushResult } from './push-result.ts';
import { type Tried, tryPush } from './push-tries.ts';
import { createTokenActions, type TokenStore } from './token-actions.ts';

/** Pushes for calls and notices: picks the app's provider, bounds what is in flight, and tries again what may help. */
export interface PushSender {
  /** Never rejects; ends by the request's deadline. */
  send(request: PushRequest): Promise<PushResult>;
  /** Ends the pauses between tries, and waits until the device store has been told what was learnt. */
  close(): Promise<void>;
}

/** Parts of a sender. */
export interface SenderOptions {
  readonly senders: Pick<AppSenders, 'get'>;
  readonly tokens: TokenStore;
  readonly clock: Clock;
  readonly events: SenderEvents;
  /** 0 to 1; for the jitter of pauses. */
  readonly random?: () => number;
}

/** A push that nobody was asked about. */
function notSent(kind: Exclude<PushResult['kind'], 'accepted'>, reason: string): Ending {
  return {
    result: { kind, reason },
    verdict: 'not-sent',
    tries: 0,
  };
}

interface Ending {
  readonly result: PushResult;
  readonly verdict: FinalVerdict['kind'] | 'not-sent';
  readonly detail?: string | undefined;
  readonly tries: number;
}

/** Makes a sender over the apps' senders. */
export function createSender(options: SenderOptions): PushSender {
  const { clock, events, random = Math.random } = options;
  const closing = new AbortController();
  const tokenActions = createTokenActions(options.tokens, events);

  function push(request: PushRequest, labels: PushLabels, startedAt: number): Ending | Promise<Ending> {
    const sender = options.senders.get(request.device.appKey);
    if (sender === undefined) return notSent('provider-down', 'unknown-app');
    if (sender.provider === undefined) return notSent('provider-down', 'credential-unusable');
    if (!request.wanted()) return notSent('withdrawn', 'withdrawn');
    if (startedAt >= request.deadline) return notSent('failed', 'timeout');
    if (!sender.enter()) return notSent('overloaded', 'too-many-in-flight');
    return throughBreaker(sender, sender.provider, request, labels, startedAt);
  }

  /** The sender was entered; it is left in the end. */
  async function throughBreaker(
    sender: AppSender,
    provider: PushProvider,
    request: PushRequest,
    labels: PushLabels,
    startedAt: number,
  ): Promise<Ending> {
    const { device } = request;
    const breaker = sender.breakerFor(device);
    const pass = breaker.enter(device);
    let tried: Tried | undefined;
    let alone = false;
    try {
      if (pass === undefined) {
        // Calls come: what the push service was lost for is looked for more often.
        provider.warm();
        return notSent('provider-down', 'breaker-open');
      }
      tried = await tryPush(provider, request, () => ({
        clock,
        random,
        signal: closing.signal,
        failed: (verdict) => pass.failed(device, verdict),
        isDown: () => breaker.state() !== 'closed',
        onRetry: ({ reason, otherwise }, inMs) =>
          events.pushRetried({ ...labels, ...saidBy(otherwise), reason, inMs }),
      }));
    } catch (error) {
      // A provider never rejects: this is a bug, and one phone's must not be every phone's.
      events.ourFault({ ...labels, reason: 'internal-error', error });
      return { ...notSent('failed', 'internal-error'), tries: 1 };
    } finally {
      if (pass !== undefined)
        alone = pass.end(device, tried && breakerNews(tried), request.deadline - startedAt);
      sender.leave();
    }
    const { verdict, tries } = tried;
    report(sender, request, labels, verdict, alone);
    return { result: resultOf(verdict, alone), verdict: verdict.kind, detail: verdict.detail, tries };
  }

  function report(
    sender: AppSender,
    request: PushRequest,
    labels: PushLabels,
    verdict: FinalVerdict,
    alone: boolean,
  ): void {
    const { kind } = verdict;
    if (kind === 'app-fault' && alone) events.pushRefused({ ...labels, ...saidBy(verdict) });
    else if (kind === 'app-fault') events.appFault({ ...sender.labels, ...saidBy(verdict) });
    if (kind === 'our-fault') events.ourFault({ ...labels, ...saidBy(verdict) });
    // A notice goes to a device that has been replaced, or to its other token: it says nothing about the stored one.
    if (request.message.kind === 'call') tokenActions.take(sender, request.device, labels, verdict);
  }

  return {
    send: async (request) => {
      const startedAt = clock.now();
      const labels = labelsOf(request);
      const { result, verdict, detail, tries } = await push(request, labels, startedAt);
      const { kind, reason } = result;
      const ended = { ...labels, kind, verdict, reason, tookMs: clock.now() - startedAt, tries };
      events.pushEnded(detail === undefined ? ended : { ...ended, detail });
      return result;
    },
    close: async () => {
      closing.abort();
      await tokenActions.settled();
    },
  };
}

/** A try in the other environment was made because the device's own one had answered, so that one works. */
function breakerNews({ verdict, otherEnvironment }: Tried): FinalVerdict {
  return otherEnvironment ? { kind: 'token-suspect', ...saidBy(verdict) } : verdict;
}

function labelsOf({ id, device, message }: PushRequest): PushLabels {
  const isCall = message.kind === 'call';
  return {
    app: device.appKey,
    appId: device.appId,
    platform: device.platform,
    provider: device.platform === 'apns' ? 'apns' : 'fcm',
    pushId: id,
    uniqueKey: isCall ? message.uniqueKey : null,
    attempt: isCall ? message.attempt : 0,
    account: device.account,
  };
}

/** `alone`: the refused credential works for other devices. */
function resultOf(verdict: FinalVerdict, alone: boolean): PushResult {
  const { kind, reason } = verdict;
  switch (kind) {
    case 'token-dead':
    case 'token-suspect':
      return { kind: 'token-gone', reason };
    case 'our-fault':
    case 'throttled':
      return { kind: 'failed', reason };
    case 'unavailable':
      return { kind: verdict.certain === true ? 'provider-down' : 'failed', reason };
    case 'app-fault':
      return { kind: alone ? 'failed' : 'provider-down', reason };
    case 'accepted':
      return verdict.sandbox === undefined ? { kind, reason } : { kind, reason, sandbox: verdict.sandbox };
    case 'overloaded':
    case 'withdrawn':
      return { kind, reason };
    default:
      return kind satisfies never;
  }
}
