import type { PhoneKind } from '../../../src/sandbox/phone-app.ts';

/** What a PBX's request came to; times are monotonic milliseconds. */
export interface Ask {
  /** Index of the instance. */
  readonly instance: number;
  readonly at: number;
  readonly endedAt: number;
  /** Undefined: no HTTP answer. */
  readonly answer: { readonly status: number; readonly word: string; readonly outcome: string } | undefined;
}

/** One PBX's way through a call: its request, and the one that followed at the next instance if that was needed. */
export interface Leg {
  readonly asks: Ask[];
  /** Whether it has what it will ever have. */
  done: boolean;
}

/** An app's answer as its load balancer carried it: the last instance that was tried counts. */
export interface AppAnswer {
  readonly available: boolean;
  readonly at: number;
  readonly endedAt: number;
  /** Undefined: no instance answered. */
  readonly status: number | undefined;
  /** How many instances were asked. */
  readonly tries: number;
}

/**
 * What an app does with a call: answers once, says the opposite once its answer was taken, or says both at the same
 * moment. The first word counts.
 */
export type AppHabit = 'once' | 'changes-its-mind' | 'says-both';

/** A call with everything that was seen of it from outside. */
export interface CallRecord {
  readonly callId: string;
  readonly account: number;
  readonly kind: PhoneKind;
  /** What the phone's user says first: takes it, or cannot. */
  readonly available: boolean;
  readonly habit: AppHabit;
  /** From the push to the app's answer, milliseconds. */
  readonly wakeUpMs: number;
  readonly askedAt: number;
  /** One for each PBX that asks; the same call may be asked for twice. */
  readonly legs: Leg[];
  /** When pushes for it reached the phone. */
  readonly pushes: number[];
  readonly answers: AppAnswer[];
}
