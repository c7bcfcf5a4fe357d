import pino from 'pino';
import { prettyFactory } from 'pino-pretty';
import { errorStack, errorWords } from './describe-error.ts';
import { LogOutput, standardOutput } from './log-output.ts';
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
  /** Writes out what is buffered; call it last. Resolves within a second, even if standard output takes nothing. */
  flush(): Promise<void> | void;
}

/** Milliseconds that the last lines may wait for a slow reader. */
const FLUSH_LIMIT_MS = 1_000;

/**
 * JSON lines (or coloured ones for a terminal) on standard output. Written asynchronously: a reader that has stopped
 * reading must not stop calls.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** Called once for each line that is lost: the reader is too slow, or the write failed. */
  readonly onDropped: () => void;
}): Log {
  const losses = reportLosses();
  const output = new LogOutput({
    fd: standardOutput(),
    onDropped: () => {
      losses.dropped();
      options.onDropped();
    },
    onFailed: losses.failed,
  });
  /** When the line that is being made was written. */
  let at = 0;
  let made = '';
  const settings = { ...settingsFor(options.level), timestamp: createIsoTime(() => at) };
  const shown = options.format === 'pretty' ? prettyLine() : (line: string) => line;
  const logger = pino(settings, { write: (line) => (made += shown(line)) });
  const queue = new LineQueue<QueuedLine>((lines) => {
    made = '';
    for (const line of lines) {
      at = line.at;
      logger[line.level]({ ...redact(line.fields), ...line.error }, line.message);
    }
    output.add(made, lines.length);
  });
  const add = (line: Omit<QueuedLine, 'at'>): void => {
    if (logger.isLevelEnabled(line.level)) queue.add({ ...line, at: Date.now() }, line.level === 'error');
  };
  // Also if a fault ends the process.
  const onExit = (): void => output.endNow(() => queue.flush());
  process.once('exit', onExit);
  return {
    isOn: (level) => logger.isLevelEnabled(level),
    write: (level, message, fields) => add({ level, message, fields, error: undefined }),
    writeError: (message, error, fields) => {
      add({ level: 'error', message, fields, error: describeError(error) });
    },
    flush: async () => {
      queue.flush();
      await output.end(FLUSH_LIMIT_MS);
      process.off('exit', onExit);
    },
  };
}

/** Reports on standard error, once, that standard output fails, and when the process ends how many lines that cost. */
function reportLosses(): { readonly dropped: () => void; readonly failed: (error: Error) => void } {
  let lost = 0;
  let isReported = false;
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  return {
    dropped: () => {
      lost += 1;
    },
    failed: ({ message }) => {
      if (isReported) return;
      isReported = true;
      report(`Standard output cannot be written (${message}): log lines are lost until it can.`);
      process.once('exit', () => report(`Log lines lost: ${lost}.`));
    },
  };
}

/** What happened to a call in one line each; an error and its stack have lines of their own. */
function prettyLine() {
  return prettyFactory({
    // Heeds NO_COLOR.
    colorize: process.stdout.isTTY && process.stdout.hasColors(),
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    errorLikeObjectKeys: ['error', 'stack'],
  });
}

function settingsFor(level: LogLevel): pino.LoggerOptions {
  return {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (name) => ({ level: name }) },
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

function describeError(error: unknown): Record<string, string> {
  return {
    error: errorWords(error),
    stack: errorStack(error),
  };
}

/**
 * The time as pino wants it, `,"time":"2026-01-31T12:00:00.000Z"`. Date's own ISO 8601, of which all but the milliseconds is
 * made once a second: there are two lines for each call.
 */
export function createIsoTime(wall: () => number = Date.now): () => string {
  let second = Number.NaN;
  let beginning = '';
  return () => {
    const now = wall();
    const milliseconds = now % 1_000;
    if (now - milliseconds !== second) {
      second = now - milliseconds;
      beginning = `,"time":"${new Date(second).toISOString().slice(0, -4)}`;
    }
    return `${beginning}${String(milliseconds).padStart(3, '0')}Z"`;
  };
}

/** How many lines wait for each other at most, and for how long. */
const MOST = 200;
const LONGEST_MS = 100;

/**
 * Lines are made and written many at a time. One by itself costs several times as much: the processor has to fetch the code
 * for it anew between the other things that a call needs, and each write wakes a thread.
 */
export class LineQueue<Line> {
  readonly #writeAll: (lines: readonly Line[]) => void;
  #lines: Line[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(writeAll: (lines: readonly Line[]) => void) {
    this.#writeAll = writeAll;
  }

  /** `urgent`: it is written now, behind those that wait. */
  add(line: Line, urgent: boolean): void {
    this.#lines.push(line);
    if (urgent || this.#lines.length >= MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), LONGEST_MS).unref();
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = [];
    if (lines.length > 0) this.#writeAll(lines);
  }
}
