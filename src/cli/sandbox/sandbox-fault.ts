import { InvalidArgumentError } from 'commander';
import type { Fault, FaultScope } from '../../sandbox/faults.ts';
import { registrableToken } from '../registrable-token.ts';

/** One `--fault`. */
export interface ScriptedFault {
  readonly fault: Fault;
  readonly scope: FaultScope;
}

const MAX_MS = 600_000;
const MAX_STREAMS = 100_000;
const MAX_BYTES = 100_000_000;
const MAX_TIMES = 999_999;

/** The error codes of HTTP/2 in their order, from 0 on (RFC 9113 section 7). */
const RESET_CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** The value of a fault: a whole number from `min` to `max`; undefined for any other text. */
function number(text: string, min: number, max: number): number | undefined {
  const value = Number(text);
  return /^\d{1,9}$/.test(text) && value >= min && value <= max ? value : undefined;
}

/** How a fault is written, what its value may be, and what the value makes of it; undefined for any other value. */
interface FaultKind {
  readonly usage: string;
  readonly values?: string;
  readonly read: (text: string) => Fault | undefined;
}

function timed(kind: 'delay' | 'slow-headers' | 'slow-body'): FaultKind {
  return {
    usage: `${kind}:MS`,
    values: `MS is a whole number from 0 to ${MAX_MS}`,
    read: (text) => {
      const ms = number(text, 0, MAX_MS);
      return ms === undefined ? undefined : { kind, ms };
    },
  };
}

function bare(kind: 'hang' | 'refuse' | 'disconnect' | 'garbage'): FaultKind {
  return {
    usage: kind,
    read: (text) => (text === '' ? { kind } : undefined),
  };
}

/** Every fault by its name. */
export const FAULT_KINDS: Readonly<Record<Fault['kind'], FaultKind>> = {
  answer: {
    usage: 'answer:STATUS[:REASON]',
    values: 'STATUS is a whole number from 200 to 599, REASON a word',
    read: (text) => {
      const [, digits = '', reason] = /^(\d{3})(?::(\w+))?$/.exec(text) ?? [];
      const status = number(digits, 200, 599);
      if (status === undefined) return undefined;
      return { kind: 'answer', status, ...(reason === undefined ? {} : { reason }) };
    },
  },
  delay: timed('delay'),
  'slow-headers': timed('slow-headers'),
  'slow-body': timed('slow-body'),
  'stream-limit': {
    usage: 'stream-limit:STREAMS',
    values: `STREAMS is a whole number from 0 to ${MAX_STREAMS}`,
    read: (text) => {
      const streams = number(text, 0, MAX_STREAMS);
      return streams === undefined ? undefined : { kind: 'stream-limit', streams };
    },
  },
  hang: bare('hang'),
  reset: {
    usage: 'reset:CODE',
    values: `CODE is from 0 to ${RESET_CODES.length - 1}, or its name: ${RESET_CODES.join(', ')}`,
    read: (text) => {
      const code = number(text, 0, RESET_CODES.length - 1) ?? RESET_CODES.indexOf(text);
      return code === -1 ? undefined : { kind: 'reset', code };
    },
  },
  refuse: bare('refuse'),
  disconnect: bare('disconnect'),
  goaway: {
    usage: 'goaway[:REASON]',
    values: 'REASON is a word',
    read: (text) =>
      /^\w*$/.test(text) ? { kind: 'goaway', processed: false, reason: text || 'Shutdown' } : undefined,
  },
  mute: {
    usage: 'mute:healthy|mute|reset',
    read: (text) =>
      text === 'healthy' || text === 'mute' || text === 'reset' ? { kind: 'mute', fresh: text } : undefined,
  },
  garbage: bare('garbage'),
  oversized: {
    usage: 'oversized:BYTES',
    values: `BYTES is a whole number from 1 to ${MAX_BYTES}`,
    read: (text) => {
      const bytes = number(text, 1, MAX_BYTES);
      return bytes === undefined ? undefined : { kind: 'oversized', status: 400, bytes };
    },
  },
};

function isKind(text: string): text is Fault['kind'] {
  return Object.hasOwn(FAULT_KINDS, text);
}

/** Reads `[TOKEN=]KIND[:VALUE][@TIMES][+delivered]`. Throws as option parsers do. */
export function readFault(text: string): ScriptedFault {
  const [, token, kind = '', value = '', times, delivered] =
    /^(?:(.+)=)?([a-z-]+)(?::([^@+]*))?(?:@([^+]*))?(\+delivered)?$/.exec(text) ?? [];
  if (!isKind(kind)) {
    throw new InvalidArgumentError(
      `It must be [TOKEN=]KIND[:VALUE][@TIMES][+delivered]; KIND is one of ${Object.keys(FAULT_KINDS).join(', ')}.`,
    );
  }
  const { usage, values, read } = FAULT_KINDS[kind];
  const fault = read(value);
  if (fault === undefined) {
    const rest = values === undefined ? '' : `; ${values}`;
    throw new InvalidArgumentError(`Write it as ${usage}[@TIMES]${rest}.`);
  }
  const count = times === undefined ? undefined : number(times, 1, MAX_TIMES);
  if (times !== undefined && count === undefined)
    throw new InvalidArgumentError(`@TIMES must be a whole number from 1 to ${MAX_TIMES}.`);
  return {
    fault,
    scope: {
      ...(token === undefined ? {} : { token: registrableToken(token) }),
      ...(count === undefined ? {} : { times: count }),
      delivered: delivered !== undefined,
    },
  };
}

/** The faults and one more. Throws as option parsers do if no push would be left for it. */
export function withFault(faults: readonly ScriptedFault[], fault: ScriptedFault): readonly ScriptedFault[] {
  const { token } = fault.scope;
  if (!faults.some(({ scope }) => scope.token === token && scope.times === undefined))
    return [...faults, fault];
  throw new InvalidArgumentError('An earlier --fault without @TIMES hits every such push.');
}
