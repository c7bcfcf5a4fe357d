import { errorCode } from '../lib/error-code.ts';
import { errorWords } from './describe-error.ts';
import type { Log, LogLevel } from './log.ts';
import type { LogFields } from './redaction.ts';

const MINUTE_MS = 60_000;
/** Conditions that are followed at once; there are a few for each app, origin and server. A new one beyond is not logged. */
const MOST = 1_000;

/** A state of things that lasts, and of which every request, try or probe hears again. */
export interface Condition {
  /** Names it; one of a closed set, or of as many as the operator has apps and origins. */
  readonly key: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
  /** Why, in one line; the stack is added where the error is no expected one. */
  readonly error?: unknown;
  /** How its end shows: somebody calls `over`, or a minute passes in which it is not met. */
  readonly ends: 'by-event' | 'by-silence';
}

/** Log lines of what lasts: one when it begins, one a minute with how often it was met, one when it is over. */
export interface Conditions {
  met(condition: Condition): void;
  /** It has ended; nothing happens if it was not there. `message` is for the log. */
  over(key: string, message: string, fields?: LogFields): void;
  /** How often it was met since it began; 0 if it is not there. */
  timesMet(key: string): number;
  /** It cannot be told any more whether it lasts. */
  forget(key: string): void;
  /** Writes what was not told yet. */
  close(): void;
}

interface Entry {
  latest: Condition;
  /** Monotonic milliseconds. */
  readonly since: number;
  times: number;
  /** Times since the last line. */
  untold: number;
  /** Undefined while it lasts. */
  ending: { readonly message: string; readonly fields: LogFields } | undefined;
  /** Lines about its end in this minute: what comes and goes tells of it once. */
  endsTold: number;
}

/**
 * A condition is told when it begins, then once a minute if it was met meanwhile, and when it is over. One that comes and
 * goes tells its end once a minute at most: it stays known until a minute has passed without it.
 */
export function createConditions(log: Log): Conditions {
  const entries = new Map<string, Entry>();
  let timer: NodeJS.Timeout | undefined;

  const tellEnd = (key: string, entry: Entry): void => {
    if (entry.ending === undefined) return;
    log.write('info', entry.ending.message, {
      ...entry.ending.fields,
      times: entry.times,
      lastedSeconds: Math.round((performance.now() - entry.since) / 1000),
    });
    entry.endsTold += 1;
    entry.untold = 0;
    entries.set(key, entry);
  };

  const tellMinute = (key: string, entry: Entry): void => {
    const { latest, untold, ending } = entry;
    if (ending !== undefined) {
      if (entry.endsTold === 0 || untold > 0) tellEnd(key, entry);
      entries.delete(key);
    } else if (untold > 0) {
      write(log, latest, {
        times: untold,
        sinceSeconds: Math.round((performance.now() - entry.since) / 1000),
      });
      entry.untold = 0;
    } else if (latest.ends === 'by-silence') {
      entry.ending = { message: `over: ${latest.message}`, fields: latest.fields };
      tellEnd(key, entry);
      entries.delete(key);
    }
    entry.endsTold = 0;
  };

  const endMinute = (): void => {
    for (const [key, entry] of entries) tellMinute(key, entry);
    timer = entries.size === 0 ? undefined : setTimeout(endMinute, MINUTE_MS).unref();
  };

  return {
    met: (condition) => {
      if (!log.isOn(condition.level)) return;
      timer ??= setTimeout(endMinute, MINUTE_MS).unref();
      const entry = entries.get(condition.key);
      if (entry === undefined && entries.size >= MOST) return;
      if (entry === undefined) {
        entries.set(condition.key, {
          latest: condition,
          since: performance.now(),
          times: 1,
          untold: 0,
          ending: undefined,
          endsTold: 0,
        });
        write(log, condition, {});
        return;
      }
      entry.latest = condition;
      entry.ending = undefined;
      entry.times += 1;
      entry.untold += 1;
    },
    over: (key, message, fields = {}) => {
      const entry = entries.get(key);
      if (entry === undefined || entry.ending !== undefined) return;
      entry.ending = { message, fields };
      if (entry.endsTold === 0) tellEnd(key, entry);
    },
    timesMet: (key) => {
      const entry = entries.get(key);
      return entry === undefined || entry.ending !== undefined ? 0 : entry.times;
    },
    forget: (key) => {
      entries.delete(key);
    },
    close: () => {
      clearTimeout(timer);
      timer = undefined;
      for (const [key, entry] of entries) if (entry.untold > 0) tellMinute(key, entry);
      entries.clear();
    },
  };
}

function write(log: Log, { level, message, fields, error }: Condition, more: LogFields): void {
  const told = error === undefined || isExpected(error);
  const words = error === undefined ? {} : { error: errorWords(error) };
  if (told) log.write(level, message, { ...fields, ...words, ...more });
  else log.writeError(message, error, { ...fields, ...more });
}

/** Errors of ours for what an operator's machines do, by name. */
const EXPECTED = new Set([
  'StorageUnavailable',
  'RedisUnavailable',
  'CredentialUnreadable',
  'AbortError',
  'TimeoutError',
]);
/** Codes of systems, of TLS and HTTP, and of drivers: the peer's doing, which a stack says nothing about. */
const PEERS_CODE =
  /^(?:E[A-Z0-9]+|UND_ERR_\w+|ERR_(?:SSL|TLS|HTTP2|OSSL)_\w+|\w*CERT\w*|UNABLE_TO_\w+|HPE_\w+)$/;

/** Whether an error is of the kind that networks, servers and disks make, and no surprise. */
export function isExpected(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (EXPECTED.has(error.name)) return true;
  if (PEERS_CODE.test(errorCode(error) ?? '')) return true;
  return error.cause !== undefined && isExpected(error.cause);
}
