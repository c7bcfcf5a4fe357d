import { InvalidArgumentError } from 'commander';
import type { Fault, FaultScope } from '../sandbox/faults.ts';

/** One `--fault`. */
export interface ScriptedFault {
  readonly fault: Fault;
  readonly scope: FaultScope;
}

const MAX_MS = 600_000;
const MAX_BYTES = 100_000_000;

/** The value of a fault: a whole number from `min` to `max`; undefined for any other text. */
function number(text: string, min: number, max: number): number | undefined {
  const value = Number(text);
  return /^\d{1,9}$/.test(text) && value >= min && value <= max ? value : undefined;
}

const timed =
  (kind: 'delay' | 'slow-headers' | 'slow-body') =>
  (text: string): Fault | undefined => {
    const ms = number(text, 0, MAX_MS);
    return ms === undefined ? undefined : { kind, ms };
  };

const bare =
  (kind: 'hang' | 'refuse' | 'disconnect' | 'garbage') =>
  (text: string): Fault | undefined =>
    text === '' ? { kind } : undefined;

/** How the value after the colon makes a fault of each kind, and how it is written in the help. */
export const FAULT_KINDS = {
  answer: {
    usage: 'answer:STATUS[:REASON]',
    read: (text) => {
      const [, digits = '', reason] = /^(\d{3})(?::(\w+))?$/.exec(text) ?? [];
      const status = number(digits, 200, 599);
      if (status === undefined) return undefined;
      return { kind: 'answer', status, ...(reason === undefined ? {} : { reason }) };
    },
  },
  delay: { usage: 'delay:MS', read: timed('delay') },
  'slow-headers': { usage: 'slow-headers:MS', read: timed('slow-headers') },
  'slow-body': { usage: 'slow-body:MS', read: timed('slow-body') },
  'stream-limit': {
    usage: 'stream-limit:STREAMS',
    read: (text) => {
      const streams = number(text, 0, 100_000);
      return streams === undefined ? undefined : { kind: 'stream-limit', streams };
    },
  },
  hang: { usage: 'hang', read: bare('hang') },
  reset: {
    usage: 'reset:CODE',
    read: (text) => {
      const code = number(text, 0, 13);
      return code === undefined ? undefined : { kind: 'reset', code };
    },
  },
  refuse: { usage: 'refuse', read: bare('refuse') },
  disconnect: { usage: 'disconnect', read: bare('disconnect') },
  goaway: {
    usage: 'goaway[:REASON]',
    read: (text) =>
      /^\w*$/.test(text) ? { kind: 'goaway', processed: false, reason: text || 'Shutdown' } : undefined,
  },
  mute: {
    usage: 'mute:healthy|mute|reset',
    read: (text) =>
      text === 'healthy' || text === 'mute' || text === 'reset' ? { kind: 'mute', fresh: text } : undefined,
  },
  garbage: { usage: 'garbage', read: bare('garbage') },
  oversized: {
    usage: 'oversized:BYTES',
    read: (text) => {
      const bytes = number(text, 1, MAX_BYTES);
      return bytes === undefined ? undefined : { kind: 'oversized', status: 400, bytes };
    },
  },
} as const satisfies Record<
  Fault['kind'],
  { readonly usage: string; readonly read: (text: string) => Fault | undefined }
>;

const isKind = (text: string): text is keyof typeof FAULT_KINDS => Object.hasOwn(FAULT_KINDS, text);

/** Reads `[TOKEN=]KIND[:VALUE][@TIMES][+delivered]`. Throws as option parsers do. */
export function readFault(text: string): ScriptedFault {
  const [, token, kind = '', value = '', times, delivered] =
    /^(?:(.+)=)?([a-z-]+)(?::([\w:]*))?(?:@(\d{1,6}))?(\+delivered)?$/.exec(text) ?? [];
  if (!isKind(kind)) {
    throw new InvalidArgumentError(
      `It must be [TOKEN=]KIND[:VALUE][@TIMES][+delivered]; KIND is one of ${Object.keys(FAULT_KINDS).join(', ')}.`,
    );
  }
  const { usage, read } = FAULT_KINDS[kind];
  const fault = read(value);
  if (fault === undefined || times === '0') throw new InvalidArgumentError(`Write it as ${usage}[@TIMES].`);
  return {
    fault,
    scope: {
      ...(token === undefined ? {} : { token }),
      ...(times === undefined ? {} : { times: Number(times) }),
      delivered: delivered !== undefined,
    },
  };
}
