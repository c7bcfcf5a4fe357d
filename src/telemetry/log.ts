import pino from 'pino';
import pretty from 'pino-pretty';
import { createIsoTime } from './iso-time.ts';
import { type LogFields, redact, scrub } from './redaction.ts';

/** How much is written: each level includes those behind it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where log lines go; every field passes the redaction. */
export interface Log {
  /** Whether lines of this level are written, to spare the making of those that are not. */
  isOn(level: LogLevel): boolean;
  write(level: LogLevel, message: string, fields: LogFields): void;
  /** A surprise, with its chain of causes. */
  writeError(message: string, error: unknown, fields: LogFields): void;
  /** Writes out what is buffered; call it last. */
  flush(): void;
}

/** Bytes of log lines that may wait for a slow reader of standard output; beyond it lines are dropped and counted. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/**
 * JSON lines are written many at a time, because a write of its own costs several times as much as the making of a line:
 * once there are so many bytes (one write takes at most 16 KiB), and after so many milliseconds whatever there is.
 */
const WRITE_AT_BYTES = 16_000;
const WRITE_EVERY_MS = 100;

/**
 * JSON lines (or coloured ones for a terminal) on standard output. Written asynchronously: a reader that has stopped
 * reading must not stop calls.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** Told for each line that had to be dropped because the reader is too slow. */
  readonly onDropped: () => void;
}): Log {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: createIsoTime(),
    formatters: { level: (level) => ({ level }) },
  };
  if (options.format === 'pretty') {
    const stream = pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', sync: true });
    return wrap(pino(settings, stream), () => {});
  }
  const destination = pino.destination({
    fd: 1,
    sync: false,
    maxLength: MAX_BUFFERED_BYTES,
    minLength: WRITE_AT_BYTES,
    periodicFlush: WRITE_EVERY_MS,
  });
  destination.on('drop', options.onDropped);
  // A closed pipe (EPIPE) ends the log, not the calls.
  destination.on('error', options.onDropped);
  return wrap(pino(settings, destination), () => destination.flushSync());
}

function wrap(logger: pino.Logger, flush: () => void): Log {
  return {
    isOn: (level) => logger.isLevelEnabled(level),
    write: (level, message, fields) => {
      if (logger.isLevelEnabled(level)) logger[level](redact(fields), message);
    },
    writeError: (message, error, fields) => {
      logger.error({ ...redact(fields), ...describeError(error) }, message);
    },
    flush,
  };
}

/** Message and code of an error and of what caused it, scrubbed; the stack of the innermost. */
function describeError(error: unknown): Record<string, string> {
  const words: string[] = [];
  let stack = '';
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current !== undefined; depth += 1) {
    if (!(current instanceof Error)) {
      words.push(scrub(String(current)));
      break;
    }
    const code = 'code' in current && current.code !== undefined ? ` (${String(current.code)})` : '';
    words.push(`${current.name}: ${scrub(current.message)}${code}`);
    stack = scrub((current.stack ?? '').split('\n').slice(1, 6).join('\n'));
    current = current.cause;
  }
  return { error: words.join(' ← '), stack };
}
