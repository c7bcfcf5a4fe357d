import type { Log, LogLevel } from './log.ts';
import type { LogFields } from './redaction.ts';

/** Lines of one kind that are written in full each minute, unless told. */
const LINES = 20;
const MINUTE_MS = 60_000;

/** Log lines that anybody can cause. */
export interface LineBudget {
  /**
   * Writes the line, or counts it where its kind had its share of this minute, `most` lines. `kind` is one of a closed
   * set.
   */
  write(kind: string, level: LogLevel, message: string, fields: LogFields, most?: number): void;
  /** The same for a surprise, with its chain of causes. */
  writeError(kind: string, message: string, error: unknown, fields: LogFields): void;
  /** Tells of what was left out so far. */
  close(): void;
}

interface Minute {
  written: number;
  leftOut: number;
  readonly message: string;
  readonly level: LogLevel;
}

/**
 * A flood of requests must not become a flood of lines, in which nobody finds the others: of each kind the first 20 a
 * minute are written (or as many as its writer says), and one line at the end of the minute says how many were not.
 * Metrics count them all.
 */
export function createLineBudget(log: Log): LineBudget {
  const kinds = new Map<string, Minute>();
  let timer: NodeJS.Timeout | undefined;

  const endMinute = (): void => {
    clearTimeout(timer);
    timer = undefined;
    for (const [kind, { leftOut, message, level }] of kinds) {
      if (leftOut > 0) log.write(level, `more lines like "${message}" were left out`, { kind, leftOut });
    }
    kinds.clear();
  };

  const mayWrite = (kind: string, level: LogLevel, message: string, most = LINES): boolean => {
    if (!log.isOn(level)) return false;
    timer ??= setTimeout(endMinute, MINUTE_MS).unref();
    let minute = kinds.get(kind);
    if (minute === undefined) {
      minute = { written: 0, leftOut: 0, message, level };
      kinds.set(kind, minute);
    }
    if (minute.written >= most) {
      minute.leftOut += 1;
      return false;
    }
    minute.written += 1;
    return true;
  };

  return {
    write: (kind, level, message, fields, most) => {
      if (mayWrite(kind, level, message, most)) log.write(level, message, fields);
    },
    writeError: (kind, message, error, fields) => {
      if (mayWrite(kind, 'error', message)) log.writeError(message, error, fields);
    },
    close: endMinute,
  };
}
