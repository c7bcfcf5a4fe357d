import { monotonic } from '../../../src/lib/monotonic.ts';
import { type PushReading, phoneApp } from '../../../src/sandbox/phone-app.ts';
import type { DeliveredPush } from '../../../src/sandbox/push-log.ts';
import { sendHttp } from '../../../src/sandbox/send-http.ts';
import type { World } from '../../../src/sandbox/world.ts';
import type { CallRecord } from './call-record.ts';
import type { Ledger, Subscriber } from './ledger.ts';
import { type Lines, lineAt } from './lines.ts';

/** The phones of all subscribers, and the load balancer that their answers go through. */
export interface Phones {
  /** From now on what the phones echo as the time of the push is wrong by up to so many hours, either way. */
  shiftClocks(hours: number): void;
  /** Answers that are to come or on their way. */
  pending(): number;
  /** Takes no more pushes and drops the answers that are to come. */
  close(): void;
}

type CallPush = Extract<PushReading, { kind: 'call' }>;

const TIMEOUT_MS = 15_000;
const HOUR_S = 3_600;

/**
 * Lets every phone take its pushes and answer each call after its own time. `anyInstance`: an answer lands on an
 * instance picked by chance, else on the one that pushed. An instance that cannot be reached or says 503 is passed over
 * for the next one, as load balancers do (nginx: `proxy_next_upstream error timeout http_503`).
 */
export function startPhones(options: {
  readonly world: Pick<World, 'apple' | 'google'>;
  readonly subscribers: readonly Subscriber[];
  readonly ledger: Ledger;
  readonly lines: Lines;
  readonly anyInstance: boolean;
  readonly random: () => number;
}): Phones {
  const { world, ledger, random } = options;
  const lines = options.lines.all;
  const byToken = new Map(options.subscribers.map((subscriber) => [subscriber.token, subscriber]));
  const seen = new WeakMap<CallRecord, Set<string>>();
  const timers = new Set<NodeJS.Timeout>();
  let onTheirWay = 0;
  let shiftHours = 0;

  const carry = async (call: CallRecord, push: CallPush, available: boolean): Promise<void> => {
    const { origin, pathname, search } = new URL(push.responseApi);
    const own = lines.findIndex(({ url }) => url === origin);
    const first = options.anyInstance || own < 0 ? Math.floor(random() * lines.length) : own;
    const { contentType, body } = phoneApp(call.kind).answer(push, call.account, available);
    const at = monotonic();
    let status: number | undefined;
    let tries = 0;
    do {
      const { url, agent } = lineAt(lines, first + tries);
      tries += 1;
      const headers = { 'content-type': contentType };
      const request = { method: 'POST' as const, url: `${url}${pathname}${search}`, headers, body, agent };
      status = await sendHttp({ ...request, timeoutMs: TIMEOUT_MS }).then(
        (answer) => answer.status,
        () => undefined,
      );
    } while ((status === undefined || status === 503) && tries < lines.length);
    call.answers.push({ available, at, endedAt: monotonic(), status, tries });
  };

  const answer = async (call: CallRecord, push: CallPush): Promise<void> => {
    const { habit, available } = call;
    onTheirWay += 1;
    if (habit === 'says-both') {
      await Promise.all([carry(call, push, available), carry(call, push, !available)]);
    } else {
      await carry(call, push, available);
      if (habit === 'changes-its-mind') await carry(call, push, !available);
    }
    onTheirWay -= 1;
  };

  const shifted = (push: CallPush): CallPush => {
    if (shiftHours === 0) return push;
    const time = Number(push.messageStartTime) + (random() * 2 - 1) * shiftHours * HOUR_S;
    const wrong = typeof push.messageStartTime === 'number' ? time : time.toFixed(7);
    return { ...push, messageStartTime: wrong };
  };

  const receive = ({ token, payload, at }: DeliveredPush): void => {
    const subscriber = byToken.get(token);
    const call = subscriber === undefined ? undefined : ledger.latest(subscriber.account);
    if (call === undefined) return;
    const push = phoneApp(call.kind).read(payload);
    if (push.kind !== 'call') throw new Error(`a phone was pushed what it cannot read: ${push.kind}`);
    call.pushes.push(at);
    // The app knows a call that it is waking up for: the service pushes several times.
    const known = seen.get(call) ?? new Set<string>();
    seen.set(call, known);
    if (known.has(push.uniqueKey)) return;
    known.add(push.uniqueKey);
    const timer = setTimeout(() => {
      timers.delete(timer);
      void answer(call, shifted(push));
    }, call.wakeUpMs);
    timers.add(timer);
  };

  const subscriptions = [world.apple.onAnyPush(receive), world.google.onAnyPush(receive)];
  return {
    shiftClocks: (hours) => {
      shiftHours = hours;
    },
    pending: () => timers.size + onTheirWay,
    close: () => {
      for (const end of subscriptions) end();
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
