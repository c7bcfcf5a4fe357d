import type { Limits } from './front.ts';

/** How calls come: so many at once, again and again; half of them are for Apple's phones, half for Google's. */
export interface Load {
  readonly size: number;
  readonly everyMs: number;
}

/** What is asked of a proxy, and how. */
export interface Trial {
  readonly name: string;
  readonly limits: Limits;
  readonly load: Load;
  /** How long the push services take for an answer. */
  readonly answerMs: number;
  /** Undefined: it is never reloaded. */
  readonly reloadEveryMs: number | undefined;
}

/** Calls of a trial. */
export const CALLS = 400;
/** Connections that the service may have to a push service. */
const CONNECTIONS = 8;
/** What a new connection may take on a busy machine. */
const CONNECT_MS = 100;
/** How much of the room, and of the time that a call has, is used at most. */
const SHARE = 0.5;

/**
 * Whether the server can carry the load with room to spare, so that no call needs to be lost. A push occupies its
 * stream for the time of an answer, and at worst for that of a new connection before; all connections together carry
 * `CONNECTIONS` × min(streams, requests) at once. Two things must hold, each with half to spare: the average of what is
 * carried, and the time in which one arrival of calls is worked off, which must fit in the calls' wait of `waitMs`.
 */
export function hasRoom({ limits, load, answerMs }: Trial, waitMs: number): boolean {
  const perService = Math.ceil(load.size / 2);
  const occupiedMs = answerMs + CONNECT_MS;
  const carried = CONNECTIONS * Math.min(limits.streams, limits.requests ?? Number.POSITIVE_INFINITY);
  const average = (load.size / 2 / load.everyMs) * occupiedMs;
  const workedOffMs = Math.ceil(perService / carried) * occupiedMs;
  return average <= SHARE * carried && workedOffMs <= SHARE * waitMs;
}

const STEADY: Load = { size: 1, everyMs: 12.5 };

/** What each proxy is put through. */
export const TRIALS: readonly Trial[] = [
  {
    name: 'no tight limit',
    limits: { streams: 100, requests: undefined },
    load: STEADY,
    answerMs: 100,
    reloadEveryMs: undefined,
  },
  {
    name: '8 streams, slow answers',
    limits: { streams: 8, requests: undefined },
    load: STEADY,
    answerMs: 600,
    reloadEveryMs: undefined,
  },
  {
    name: '8 streams, 5 requests, bursts of 80',
    limits: { streams: 8, requests: 5 },
    load: { size: 80, everyMs: 1_000 },
    answerMs: 100,
    reloadEveryMs: undefined,
  },
  {
    name: '2 streams, 5 requests, bursts of 40',
    limits: { streams: 2, requests: 5 },
    load: { size: 40, everyMs: 600 },
    answerMs: 100,
    reloadEveryMs: undefined,
  },
  {
    name: '8 streams, 5 requests, reloads',
    limits: { streams: 8, requests: 5 },
    load: STEADY,
    answerMs: 100,
    reloadEveryMs: 1_200,
  },
];
