import { constants } from 'node:http2';
import type { Fault } from '../../src/sandbox/faults.ts';

/** A fault and what it does to a call. */
export interface FaultRow {
  readonly name: string;
  readonly fault: Fault;
  /** Requests that the fault hits; 1 unless told. */
  readonly times?: number;
  readonly delivered?: true;
  readonly outcome: 'ready' | 'push-failed';
  /** Requests that the push service sees for the call; not looked at where the answer may overtake them. */
  readonly asked?: number;
  /** Pushes that reach the phone. */
  readonly pushed?: number;
  /** Milliseconds that the call takes at least. */
  readonly atLeast?: number;
}

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM } = constants;
const once = { outcome: 'ready', asked: 1, pushed: 1 } as const;
const again = { outcome: 'ready', asked: 2, pushed: 1 } as const;
function goaway(processed: boolean, code?: number): Fault {
  return {
    kind: 'goaway',
    processed,
    reason: 'Shutdown',
    ...(code === undefined ? {} : { code }),
  };
}

/** Faults from which a call recovers, or which end it at once. */
export const QUICK_FAULTS: readonly FaultRow[] = [
  { name: 'a late answer', fault: { kind: 'delay', ms: 300 }, ...once, atLeast: 295 },
  {
    name: 'late headers behind interim ones',
    fault: { kind: 'slow-headers', ms: 300 },
    ...once,
    atLeast: 295,
  },
  { name: 'a late body', fault: { kind: 'slow-body', ms: 300 }, ...once, atLeast: 295 },
  {
    name: 'no answer, but the phone is pushed: its word counts',
    fault: { kind: 'hang' },
    delivered: true,
    ...once,
  },
  { name: 'a reset stream', fault: { kind: 'reset', code: NGHTTP2_INTERNAL_ERROR }, ...again },
  { name: 'a cancelled stream', fault: { kind: 'reset', code: NGHTTP2_CANCEL }, ...again },
  {
    name: 'two reset streams',
    fault: { kind: 'reset', code: NGHTTP2_INTERNAL_ERROR },
    times: 2,
    ...again,
    asked: 3,
  },
  { name: 'a refused stream', fault: { kind: 'refuse' }, ...again },
  { name: 'three refused streams', fault: { kind: 'refuse' }, times: 3, ...again, asked: 4 },
  { name: 'a broken connection', fault: { kind: 'disconnect' }, ...again },
  {
    name: 'a connection that breaks after the push was taken',
    fault: { kind: 'disconnect' },
    delivered: true,
    outcome: 'ready',
  },
  {
    name: 'three broken connections',
    fault: { kind: 'disconnect' },
    times: 3,
    ...again,
    asked: 4,
  },
  { name: 'GOAWAY behind the request', fault: goaway(true), ...once },
  { name: 'GOAWAY ahead of the request', fault: goaway(false), ...again },
  {
    name: 'GOAWAY with an error ahead of the request',
    fault: goaway(false, NGHTTP2_ENHANCE_YOUR_CALM),
    ...again,
  },
  {
    name: 'GOAWAY with an error behind the request',
    fault: goaway(true, NGHTTP2_ENHANCE_YOUR_CALM),
    outcome: 'ready',
  },
  { name: 'bytes that are not TLS', fault: { kind: 'garbage' }, ...again },
  {
    name: 'an answer without end: NAK at once',
    fault: { kind: 'oversized', status: 200, bytes: 200_000 },
    outcome: 'push-failed',
    asked: 1,
    pushed: 0,
  },
  { name: 'a connection gone mute', fault: { kind: 'mute', fresh: 'healthy' }, ...again },
];

/** Faults that leave nothing but to wait for the end of the call's time. */
export const SILENT_FAULTS: readonly FaultRow[] = [
  {
    name: 'no answer and no push: NAK at the deadline',
    fault: { kind: 'hang' },
    outcome: 'push-failed',
    asked: 1,
    pushed: 0,
  },
  ...(['mute', 'reset'] as const).map((fresh) => ({
    name: `a connection gone mute, and ${fresh} new ones: NAK at the deadline`,
    fault: { kind: 'mute' as const, fresh },
    outcome: 'push-failed' as const,
    asked: 1,
    pushed: 0,
  })),
];
