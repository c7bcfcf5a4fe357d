import type { Device } from '../../../src/devices/device.ts';
import { createAppSenders } from '../../../src/push/app-senders.ts';
import type { PushProvider, PushRequest, PushVariant, PushVerdict } from '../../../src/push/push-provider.ts';
import { createSender } from '../../../src/push/sender.ts';
import {
  apnsKey,
  createHandClock,
  makeApp,
  makeDevice,
  makeRequest,
  recordEvents,
} from './provider-fixture.ts';

type Answer = PushVerdict | Promise<PushVerdict> | (() => PushVerdict | Promise<PushVerdict>);

export const OK = { kind: 'accepted', reason: 'Accepted' } as const satisfies PushVerdict;
export const DOWN = { kind: 'unavailable', reason: 'connection-lost' } as const satisfies PushVerdict;
export const DEAD = {
  kind: 'token-dead',
  reason: 'Unregistered',
  since: 1_800_000_000_000,
} as const satisfies PushVerdict;
export const BUSY = {
  kind: 'retry',
  reason: 'ServiceUnavailable',
  limit: 'budget',
  afterMs: 0,
  otherwise: { kind: 'unavailable', reason: 'ServiceUnavailable' },
} as const satisfies PushVerdict;
export const ONCE = { ...BUSY, reason: 'InternalServerError', limit: 'once' } as const satisfies PushVerdict;

/** A device of its own for each number. */
export function another(n: number, over: Partial<Device> = {}) {
  return makeDevice({ account: 200_000_000 + n, token: `token-${n}`, ...over });
}

/** One app whose provider answers in turn, the last answer for ever. */
export function senderScene(answers: readonly Answer[], maxInFlight = 2_000, random = 0) {
  const clock = createHandClock();
  const events = recordEvents();
  const variants: PushVariant[] = [];
  const stored: object[] = [];
  const counts = { warmings: 0 };
  let cameBack: Parameters<PushProvider['watch']>[0] = () => {};
  let lasting: Answer | undefined;
  let storeError: Error | undefined;
  const provider: PushProvider = {
    name: 'apns',
    environmentOf: (device: Device) => (device.sandbox === true ? 'sandbox' : 'production'),
    send: async (_request: PushRequest, variant: PushVariant) => {
      const answer = lasting ?? answers[Math.min(variants.length, answers.length - 1)];
      variants.push(variant);
      if (answer === undefined) throw new Error('No answer left');
      return typeof answer === 'function' ? answer() : answer;
    },
    warm: () => {
      counts.warmings += 1;
    },
    watch: (back) => {
      cameBack = back;
    },
    close: async () => {},
  };
  const senders = createAppSenders({ createProvider: () => provider, clock, events, maxInFlight });
  senders.update([makeApp(apnsKey('pem'))]);
  const store = (name: string) => async (what: object) => {
    if (storeError) throw storeError;
    stored.push({ name, ...what });
    return true;
  };
  const sender = createSender({
    senders,
    clock,
    events,
    random: () => random,
    tokens: { dropToken: store('drop'), setSandbox: store('sandbox') },
  });
  return {
    clock,
    events,
    variants,
    stored,
    sender,
    counts,
    /** From now on it gives this one. */
    answer: (to: Answer) => {
      lasting = to;
    },
    comeBack: () => cameBack('production', 'connected'),
    failStore: (error: Error) => {
      storeError = error;
    },
    send: (over: Partial<PushRequest> = {}) => sender.send(makeRequest(clock, over)),
  };
}
