import { type BigIntStats, closeSync, openSync, readSync } from 'node:fs';

/** Notices that others than SQLite wrote to the files of a database in place, as `cp backup live` does. */
export interface OverwriteWatch {
  /** The suffix of the file that was overwritten, from the first look that finds it on always. `stat`: of the database file. */
  look(stat: () => BigIntStats | undefined): '' | '-wal' | undefined;
  /** After SQLite has closed its files: to close a file drops all locks of this process on it. */
  close(): void;
}

/** Where the -shm file says what (https://sqlite.org/walformat.html#the_wal_index_file_format). */
const INDEX = {
  version: 3_007_000,
  bytes: 136,
  frames: 16,
  salts: 32,
  saltsEnd: 40,
  written: 96,
  readers: 100,
  attempted: 128,
};
/** Where the header of the -wal file says which one it is (https://sqlite.org/fileformat.html#the_write_ahead_log). */
const HEAD = { bytes: 32, salts: 16, saltsEnd: 24 };

/** What SQLite knows of the -wal file, in the byte order of this machine. */
interface WalIndex {
  readonly hasFrames: boolean;
  readonly salts: string;
  /** Changes with each checkpoint, and each time the -wal file is begun anew. */
  readonly progress: string;
  /** Whether a checkpoint goes on or has failed, so that the file may change without further progress. */
  readonly isUnfinished: boolean;
  /** All of it but the marks of readers. */
  readonly whole: string;
}

/** Undefined if it says nothing at the moment. A file system that does not show here what SQLite maps shows zeros. */
function readIndex(file: number): WalIndex | undefined {
  const bytes = readStart(file, INDEX.bytes);
  if (bytes?.length !== INDEX.bytes) return undefined;
  if (![bytes.readUInt32LE(0), bytes.readUInt32BE(0)].includes(INDEX.version)) return undefined;
  const hex = (from: number, to: number): string => bytes.toString('hex', from, to);
  const salts = hex(INDEX.salts, INDEX.saltsEnd);
  const written = hex(INDEX.written, INDEX.readers);
  const attempted = hex(INDEX.attempted, INDEX.attempted + 4);
  return {
    hasFrames: bytes.readUInt32LE(INDEX.frames) > 0,
    salts,
    progress: `${salts} ${written} ${attempted}`,
    isUnfinished: written !== attempted,
    whole: `${hex(0, INDEX.readers)} ${attempted}`,
  };
}

/** Fewer bytes if the file is shorter; undefined if the disk fails, which SQLite reports. */
function readStart(file: number, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
  } catch {
    return undefined;
  }
}

/**
 * In WAL mode only checkpoints write to the database file, whichever process runs them, and each shows in the -shm file: a
 * change without one is somebody else's. `touch` counts as such a change. The -wal file must be the one that the -shm file
 * speaks of. Throws if a side file of `path` cannot be opened.
 */
export function watchForOverwriting(path: string): OverwriteWatch {
  const wal = openSync(`${path}-wal`, 'r');
  const shm = openSync(`${path}-shm`, 'r');
  let known: { readonly modified: bigint; readonly progress: string } | undefined;
  let verdict: '' | '-wal' | undefined;

  function judge(stat: () => BigIntStats | undefined): '' | '-wal' | undefined {
    const index = readIndex(shm);
    const head = readStart(wal, HEAD.bytes);
    const main = stat();
    // Another process may commit or checkpoint at this moment: the next look sees what comes of it.
    if (index === undefined || main === undefined || readIndex(shm)?.whole !== index.whole) return undefined;
    if (main.size === 0n) return '';
    if (head === undefined) return undefined;
    if (index.hasFrames && head.toString('hex', HEAD.salts, HEAD.saltsEnd) !== index.salts) return '-wal';
    const isUnchanged = known === undefined || known.modified === main.mtimeNs;
    if (!isUnchanged && known?.progress === index.progress && !index.isUnfinished) return '';
    known = { modified: main.mtimeNs, progress: index.progress };
    return undefined;
  }
  return {
    look: (stat) => {
      verdict ??= judge(stat);
      return verdict;
    },
    close: () => {
      closeSync(wal);
      closeSync(shm);
    },
  };
}
