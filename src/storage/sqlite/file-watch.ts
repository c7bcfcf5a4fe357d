import { type BigIntStats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { StorageUnavailable } from '../storage-unavailable.ts';
import { watchForOverwriting } from './overwrite-watch.ts';

const SUFFIXES = ['', '-wal', '-shm'] as const;

class FileLost extends Error {
  override readonly name = 'FileLost';
}

function find(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    // A folder above it became a file, or may not be entered any more.
    return undefined;
  }
}

/** Watches the files of an open database. */
export interface FileWatch {
  /** Why what is committed now does not last; undefined if it does. */
  loss(): StorageUnavailable | undefined;
  /** To be called after SQLite has closed the files. */
  close(): void;
}

/**
 * Watches that a SQLite file and its side files are still the ones that were opened, with what SQLite wrote. A process goes
 * on writing to a file that was deleted, moved or replaced
 * (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use), and all of it is gone with
 * the process. A file that comes back to its place counts again; one that was overwritten does not.
 */
export function watchSqliteFile(path: string): FileWatch {
  // The working directory may change or be moved away; what was opened does not.
  const main = resolve(path);
  const files = SUFFIXES.map((suffix) => ({ path: `${main}${suffix}`, opened: find(`${main}${suffix}`) }));
  const overwriting = watchForOverwriting(main);
  const lookForLoss = (): string | undefined => {
    for (const file of files) {
      const now = find(file.path);
      // SQLite makes the side files when it first needs them.
      if (file.opened === undefined) file.opened = now;
      else if (now?.ino !== file.opened.ino || now.dev !== file.opened.dev) {
        return `${file.path} ${now === undefined ? 'was deleted or moved' : 'was replaced by another file'}`;
      }
    }
    const suffix = overwriting.look(() => find(main));
    return suffix === undefined ? undefined : `${main}${suffix} was overwritten or truncated`;
  };
  lookForLoss();
  return {
    loss: () => {
      const what = lookForLoss();
      if (what === undefined) return undefined;
      return new StorageUnavailable('replaced', { cause: new FileLost(`${what} while it was open`) });
    },
    close: overwriting.close,
  };
}
