import pino from 'pino';
import pretty from 'pino-pretty';
import { errorStack, errorWords } from './describe-error.ts';
import { createIsoTime } from './iso-time.ts';
import { LineQueue } from './line-queue.ts';
import { type LogFields, redact } from './redaction.ts';

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
 * JSON lines (or coloured ones for a terminal) on standard output. Written asynchronously: a reader that has stopped
 * reading must not stop calls.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** Told for each line that had to be dropped because the reader is too slow. */
  readonly onDropped: () => void;
}): Log {
  return options.format === 'pretty' ? prettyLog(options.level) : jsonLog(options);
}

const settingsFor = (level: LogLevel): pino.LoggerOptions => ({
  level,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (name) => ({ level: name }) },
});

function prettyLog(level: LogLevel): Log {
  const stream = pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', sync: true });
  const logger = pino(settingsFor(level), stream);
  return {
    isOn: (each) => logger.isLevelEnabled(each),
    write: (each, message, fields) => {
      if (logger.isLevelEnabled(each)) logger[each](redact(fields), message);
    },
    writeError: (message, error, fields) => {
      logger.error({ ...redact(fields), ...describeError(error) }, message);
    },
    flush: () => {},
  };
}

/** A line that is not made yet. */
interface QueuedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
  /** What is told of an error, scrubbed. */
  readonly error: Readonly<Record<string, string>> | undefined;
  /** When it was written, milliseconds since the epoch. */
  readonly at: number;
}

function jsonLog(options: Parameters<typeof createLog>[0]): Log {
  const destination = pino.destination({ fd: 1, sync: false, maxLength: MAX_BUFFERED_BYTES });
  destination.on('drop', (text: string) => {
    for (const _line of text.matchAll(/\n/g)) options.onDropped();
  });
  // A closed pipe (EPIPE) ends the log, not the calls.
  destination.on('error', options.onDropped);
  /** When the line that is being made was written. */
  let at = 0;
  let made = '';
  const settings = { ...settingsFor(options.level), timestamp: createIsoTime(() => at) };
  const logger = pino(settings, { write: (line) => (made += line) });
  const queue = new LineQueue<QueuedLine>((lines) => {
    made = '';
    for (const line of lines) {
      at = line.at;
      logger[line.level]({ ...redact(line.fields), ...line.error }, line.message);
    }
    destination.write(made);
  });
  const add = (line: Omit<QueuedLine, 'at'>): void => {
    if (logger.isLevelEnabled(line.level)) queue.add({ ...line, at: Date.now() }, line.level === 'error');
  };
  // Also where the process ends by a fault: pino writes out what it has after this.
  const onExit = (): void => queue.flush();
  process.prependOnceListener('exit', onExit);
  return {
    isOn: (level) => logger.isLevelEnabled(level),
    write: (level, message, fields) => add({ level, message, fields, error: undefined }),
    writeError: (message, error, fields) => {
      add({ level: 'error', message, fields, error: describeError(error) });
    },
    flush: () => {
      process.off('exit', onExit);
      queue.flush();
      destination.flushSync();
    },
  };
}

const describeError = (error: unknown): Record<string, string> => ({
  error: errorWords(error),
  stack: errorStack(error),
});
