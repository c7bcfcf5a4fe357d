import type { Agent } from 'node:http';
import { monotonic } from '../lib/monotonic.ts';
import { type PhoneKind, type PushReading, phoneApp } from './phone-app.ts';
import type { DeliveredPush, PushSource } from './push-log.ts';
import { type HttpAnswer, sendHttp } from './send-http.ts';

/** How a simulated phone is set up, and what its user does. */
export interface PhoneOptions {
  readonly kind: PhoneKind;
  readonly account: number;
  /** The push token that Apple or Google gave it. */
  readonly token: string;
  /** Bundle id or package name. */
  readonly app: string;
  /** Base URL of the service for registrations, without a slash at the end. */
  readonly server: string;
  /** The Authorization header of every request, `Token user:token`. */
  readonly authorization: string;
  readonly name?: string;
  /** iOS: a build for Apple's sandbox environment; default false. */
  readonly sandbox?: boolean;
  /** iOS: token for ordinary alert pushes. */
  readonly remoteNotificationToken?: string;
  /** Milliseconds from the push to the answer: the app starts and registers with SIP; default 200. */
  readonly wakeUpMs?: number;
  /** Whether the user can take calls; default true. */
  readonly available?: boolean;
  /** Never answers a push by itself; default false. */
  readonly silent?: boolean;
  /** A keep-alive agent to share connections; a new connection a request, unless told. */
  readonly agent?: Agent;
  /** Told of each step as it happens. */
  readonly onStep?: (step: PhoneStep) => void;
}

type Happening =
  | { readonly kind: 'push-received'; readonly push: DeliveredPush }
  | { readonly kind: 'push-ignored'; readonly why: 'not-a-call' | 'duplicate' }
  /** The push lacks `field`, or it is of the wrong type. */
  | { readonly kind: 'crashed'; readonly field: string }
  | { readonly kind: 'answering'; readonly uniqueKey: string }
  | {
      readonly kind: 'answered';
      readonly uniqueKey: string;
      readonly status: number;
      readonly tookMs: number;
    }
  | { readonly kind: 'answer-failed'; readonly uniqueKey: string; readonly error: Error };

/** What happens on a phone; `at` is monotonic milliseconds. */
export type PhoneStep = Happening & { readonly at: number };

/** A simulated phone. */
export interface Phone {
  /** Registers with the service; rejects when it cannot be reached. */
  register(): Promise<HttpAnswer>;
  /** Ends the registration; rejects when the service cannot be reached. */
  unregister(): Promise<HttpAnswer>;
  /** Takes pushes from Apple's or Google's stand-in and answers each new call. */
  listen(source: PushSource): void;
  /** Answers one push at once, new or not. Rejects as the app crashes, or when the answer cannot be delivered. */
  answer(push: DeliveredPush, options?: { readonly available?: boolean }): Promise<HttpAnswer>;
  /** Takes no more pushes and gives up the answers that wait or are on their way. */
  close(): void;
}

/** How many calls the app remembers in order not to answer twice. */
const REMEMBERED_CALLS = 100;
const TIMEOUT_MS = 15_000;

/** Makes a phone that behaves as the Flutter app of its kind does; it does nothing until told. */
export function createPhone(options: PhoneOptions): Phone {
  const { wakeUpMs = 200, available = true, silent = false } = options;
  const app = phoneApp(options.kind);
  const seen = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  const subscriptions: (() => void)[] = [];
  const closing = new AbortController();
  const step = (happened: Happening): void => options.onStep?.({ ...happened, at: monotonic() });

  const send = (method: 'POST' | 'DELETE', url: string, request: { contentType: string; body: string }) =>
    sendHttp({
      method,
      url,
      headers: { 'content-type': request.contentType, authorization: options.authorization },
      body: request.body,
      agent: options.agent,
      signal: closing.signal,
      timeoutMs: TIMEOUT_MS,
    });

  const reply = (call: Extract<PushReading, { kind: 'call' }>, can: boolean): Promise<HttpAnswer> =>
    send('POST', call.responseApi, app.answer(call, options.account, can));

  const answerCall = async (call: Extract<PushReading, { kind: 'call' }>): Promise<void> => {
    const { uniqueKey } = call;
    step({ kind: 'answering', uniqueKey });
    try {
      const { status, tookMs } = await reply(call, available);
      step({ kind: 'answered', uniqueKey, status, tookMs });
    } catch (cause) {
      const error = new Error('The phone could not deliver its answer.', { cause });
      step({ kind: 'answer-failed', uniqueKey, error });
    }
  };

  /** The app de-duplicates on `unique_key`: the service pushes a call several times. */
  const isNew = (uniqueKey: string): boolean => {
    if (seen.has(uniqueKey)) return false;
    const oldest = seen.values().next();
    if (seen.size >= REMEMBERED_CALLS && oldest.done !== true) seen.delete(oldest.value);
    seen.add(uniqueKey);
    return true;
  };

  const wake = (call: Extract<PushReading, { kind: 'call' }>): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      void answerCall(call);
    }, wakeUpMs);
    timers.add(timer);
  };

  const receive = (push: DeliveredPush): void => {
    step({ kind: 'push-received', push });
    const reading = app.read(push.payload);
    if (reading.kind === 'ignored') step({ kind: 'push-ignored', why: reading.why });
    else if (reading.kind === 'crashed') step({ kind: 'crashed', field: reading.field });
    else if (!isNew(reading.uniqueKey)) step({ kind: 'push-ignored', why: 'duplicate' });
    else if (!silent) wake(reading);
  };

  const identity = {
    account: options.account,
    token: options.token,
    app: options.app,
    name: options.name ?? 'Sandbox phone',
    sandbox: options.sandbox ?? false,
    remoteNotificationToken: options.remoteNotificationToken ?? '',
  };
  const deviceUrl = `${options.server}${app.devicePath}`;
  return {
    register: () => send('POST', deviceUrl, app.register(identity)),
    unregister: () =>
      send('DELETE', deviceUrl, {
        contentType: 'application/json; charset=utf-8',
        body: JSON.stringify({
          token: options.token,
          sip_user_id: String(options.account),
          app: options.app,
        }),
      }),
    listen: (source) => {
      subscriptions.push(source.onPush(options.token, receive));
    },
    answer: async (push, { available: can = available } = {}) => {
      const reading = app.read(push.payload);
      switch (reading.kind) {
        case 'call':
          return reply(reading, can);
        case 'crashed':
          throw new Error(`The app crashes on this push: ${reading.field} is missing or of the wrong type.`);
        case 'ignored':
          throw new Error('The app ignores this push: its type is not "call".');
        default:
          return reading satisfies never;
      }
    },
    close: () => {
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      closing.abort();
    },
  };
}
