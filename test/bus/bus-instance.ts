import { until } from '../../harness/until.ts';
import type { Platform } from '../../src/apps/platform.ts';
import type { AnswerBus } from '../../src/calls/answer-bus.ts';
import type { CallEnding } from '../../src/calls/call-outcome.ts';
import { type Caller, type TakenCall, takeCall } from '../../src/calls/take-call.ts';
import { newUniqueKey } from '../../src/calls/unique-key.ts';
import { WaitingRoom } from '../../src/calls/waiting-room.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import type { PushResult } from '../../src/push/push-result.ts';
import { makeDevice } from '../push/helpers/provider-fixture.ts';

/** A PBX's request that is held, and the pushes that it caused at this instance. */
export interface AskedCall {
  readonly taken: Promise<TakenCall>;
  /** How it ended. */
  readonly ending: Promise<CallEnding>;
  /** Unique keys of the pushes, one for each. */
  readonly pushedKeys: readonly string[];
  /** Resolves with the unique key when the phone is woken from here. */
  woken(): Promise<string>;
  /** The PBX drops its request. */
  hangUp(): void;
}

/** What a PBX asks of an instance. */
export interface Asking {
  readonly account: number;
  readonly callId?: string;
  readonly platform?: Platform;
  /** What the push service says of each push; accepted unless told otherwise. */
  readonly pushed?: () => Promise<PushResult>;
}

/** One instance of the service as the bus sees it: its waiting room, and the story of a call. */
export interface BusInstance {
  readonly room: WaitingRoom;
  readonly bus: AnswerBus;
  ask(asking: Asking): AskedCall;
}

const ACCEPTED: PushResult = { kind: 'accepted', reason: 'Accepted' };

/** An instance on a bus, whose calls wait `waitMs`; `proofs`: each push carries a key of its own, the only one that counts. */
export function createBusInstance(
  { waitMs, proofs }: { readonly waitMs: number; readonly proofs: boolean },
  createBus: (room: WaitingRoom) => AnswerBus,
): BusInstance {
  const room = new WaitingRoom({
    maxWaiting: 5_000,
    waitMs,
    ...(proofs && { newKey: newUniqueKey, answersToCallIds: false }),
  });
  const bus = createBus(room);
  return {
    room,
    bus,
    ask: ({ account, callId, platform = 'android', pushed = async () => ACCEPTED }) => {
      const pushedKeys: string[] = [];
      const caller: Caller = { gone: false, onGone: undefined };
      const taken = takeCall(
        {
          admission: { refusal: () => undefined, find: async () => makeDevice({ account, platform }) },
          room,
          bus,
          pusher: {
            send: (request) => {
              if (request.message.kind === 'call') pushedKeys.push(request.message.uniqueKey);
              return pushed();
            },
          },
          plan: {
            resendMs: 1_000,
            maxAttempts: 8,
            responseApiFor: () => 'https://example.com/api/call-response/',
          },
          events: {
            callEnded: () => {},
            callTurnedAway: () => {},
            callRepeated: () => {},
            answerCame: () => {},
            storageFailed: () => {},
          },
        },
        { askedAt: monotonic(), account, callId, phoneNumber: '0201234567', callerId: '' },
        caller,
      );
      return {
        taken,
        ending: taken.then(({ ending }) => ending),
        pushedKeys,
        woken: async () => {
          await until(() => pushedKeys.length > 0, 'the phone is woken');
          return pushedKeys[0] ?? '';
        },
        hangUp: () => {
          caller.gone = true;
          caller.onGone?.();
        },
      };
    },
  };
}

/** Has a call asked of an instance and given up by its PBX; what that instance had to tell the others is told then. */
export async function endAt(instance: BusInstance, asking: Asking): Promise<void> {
  const asked = instance.ask(asking);
  await asked.woken();
  asked.hangUp();
  await asked.ending;
  await instance.bus.close();
}
