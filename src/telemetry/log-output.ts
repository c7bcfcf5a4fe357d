import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { errorCode } from '../lib/error-code.ts';

/** Bytes that may wait for a slow reader. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Milliseconds until a full pipe or terminal is tried again. */
const RETRY_MS = 10;
/** Milliseconds that the end of the process may wait for a full pipe. */
const EXIT_LIMIT_MS = 200;

/** Lines that go out together. */
interface Chunk {
  readonly bytes: Buffer;
  readonly lines: number;
}

/**
 * Writes text to a file descriptor without ever blocking the process, and in bounded memory. Lines are lost, and counted, in
 * two cases: the reader is so slow that too much waits, or the write fails (disk full, reader gone). The next lines are
 * then tried again, so that the log goes on when the disk has room.
 */
export class LogOutput {
  readonly #fd: number;
  readonly #onDropped: () => void;
  readonly #onFailed: (error: Error) => void;
  readonly #maxBytes: number;
  readonly #chunks: Chunk[] = [];
  #bytes = 0;
  /** Bytes of the first chunk that are out. */
  #written = 0;
  #isWriting = false;
  /** A thread writes the first chunk at the moment. */
  #isInThread = false;
  /** A write failed in the middle of a line. */
  #isTorn = false;
  #emptied: (() => void) | undefined;

  constructor(options: {
    readonly fd: number;
    /** Called once for each line that is lost. */
    readonly onDropped: () => void;
    /** Called for each write that fails, before its lines count as lost. */
    readonly onFailed?: (error: Error) => void;
    /** Default 16 MiB. */
    readonly maxBytes?: number;
  }) {
    this.#fd = options.fd;
    this.#onDropped = options.onDropped;
    this.#onFailed = options.onFailed ?? (() => {});
    this.#maxBytes = options.maxBytes ?? MAX_WAITING_BYTES;
  }

  /** Takes whole lines. */
  add(text: string, lines: number): void {
    const bytes = Buffer.from(text);
    if (this.#bytes + bytes.length > this.#maxBytes) {
      this.#lose(lines);
      return;
    }
    this.#chunks.push({ bytes, lines });
    this.#bytes += bytes.length;
    if (!this.#isWriting) this.#writeNext();
  }

  /** Resolves when everything is out or lost; what still waits after `limitMs` is lost. */
  async end(limitMs: number): Promise<void> {
    if (this.#chunks.length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    for (const chunk of this.#chunks.splice(0)) {
      this.#bytes -= chunk.bytes.length;
      this.#lose(chunk.lines);
    }
  }

  /** The last resort when the process exits: writes what waits and what `flush` adds, for at most 200 ms. */
  endNow(flush: () => void = () => {}): void {
    // Node cancels a write that no thread has begun when its process ends: what is added now must not become one.
    this.#isWriting = true;
    flush();
    const waiting = this.#chunks.splice(0);
    // A thread ends its write before the process does.
    if (this.#isInThread) waiting.shift();
    let bytes = Buffer.concat(waiting.map((chunk) => chunk.bytes));
    if (!this.#isInThread) bytes = bytes.subarray(this.#written);
    const giveUpAt = performance.now() + EXIT_LIMIT_MS;
    try {
      while (bytes.length > 0) bytes = bytes.subarray(this.#writeNow(bytes, giveUpAt));
    } catch {
      // Nobody is left to hear of it.
    }
  }

  #writeNow(bytes: Buffer, giveUpAt: number): number {
    for (;;) {
      try {
        return writeSync(this.#fd, bytes);
      } catch (error) {
        if (!isFull(error) || performance.now() > giveUpAt) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      }
    }
  }

  #writeNext(): void {
    const [first] = this.#chunks;
    if (first === undefined) {
      this.#isWriting = false;
      this.#emptied?.();
      return;
    }
    this.#isWriting = true;
    this.#isInThread = true;
    const bytes = this.#isTorn ? Buffer.concat([NEWLINE, first.bytes]) : first.bytes;
    write(this.#fd, bytes, this.#written, (error, count) => {
      this.#isInThread = false;
      if (error === null) this.#wrote(first, bytes, count);
      else if (isFull(error)) setTimeout(() => this.#tryAgain(first), RETRY_MS).unref();
      else {
        this.#onFailed(error);
        this.#failed(first);
      }
    });
  }

  /** `end` may have given the chunk up meanwhile, in the middle of a line. */
  #tryAgain(chunk: Chunk): void {
    if (this.#chunks[0] !== chunk) {
      this.#isTorn ||= this.#written > 0;
      this.#written = 0;
    }
    this.#writeNext();
  }

  #wrote(chunk: Chunk, bytes: Buffer, count: number): void {
    this.#written += count;
    if (this.#written >= bytes.length) {
      this.#isTorn = false;
      this.#leave(chunk);
    } else if (this.#chunks[0] !== chunk) {
      this.#isTorn = true;
      this.#written = 0;
    }
    this.#writeNext();
  }

  #failed(chunk: Chunk): void {
    this.#isTorn ||= this.#written > 0;
    // `end` may have given it up, and counted it, meanwhile.
    if (this.#chunks[0] === chunk) this.#lose(chunk.lines);
    this.#leave(chunk);
    this.#writeNext();
  }

  #leave(chunk: Chunk): void {
    this.#written = 0;
    if (this.#chunks[0] !== chunk) return;
    this.#chunks.shift();
    this.#bytes -= chunk.bytes.length;
  }

  #lose(lines: number): void {
    for (let line = 0; line < lines; line += 1) this.#onDropped();
  }
}

const NEWLINE = Buffer.from('\n');

/** Whether a pipe, socket or terminal takes nothing at the moment. */
function isFull(error: unknown): boolean {
  return errorCode(error) === 'EAGAIN';
}

/**
 * A descriptor for standard output whose writes fail with EAGAIN instead of blocking a thread: a thread that hangs in a write
 * keeps the process from exiting. A regular file is used as it is, with its position.
 */
export function standardOutput(): number {
  const kind = fstatSync(1);
  // Node makes a pipe or a socket non-blocking when its stream is first asked for.
  if (kind.isFIFO() || kind.isSocket()) return process.stdout.fd;
  if (!kind.isCharacterDevice()) return 1;
  try {
    // A terminal stopped by Ctrl-S blocks as well. Opened anew, its other users do not notice.
    return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return 1;
  }
}
