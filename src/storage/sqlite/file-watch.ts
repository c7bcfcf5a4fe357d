import { type BigIntStats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { StorageUnavailable } from '../storage-unavailable.ts';

const SUFFIXES = ['', '-wal', '-shm'] as const;

type Found = Pick<BigIntStats, 'dev' | 'ino'>;

class FileLost extends Error {
  override readonly name = 'FileLost';
}

const find = (path: string): Found | undefined => {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    // A folder above it became a file, or may not be entered any more.
    return undefined;
  }
};

/**
 * Watches that a SQLite file and its side files are still the ones that were opened. A process goes on writing to a file
 * that was deleted, moved or replaced (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use),
 * and all of it is gone with the process. A file that comes back to its place counts again.
 */
export const watchSqliteFile = (path: string): (() => StorageUnavailable | undefined) => {
  // The working directory may change or be moved away; what was opened does not.
  const files = SUFFIXES.map((suffix) => ({
    path: resolve(`${path}${suffix}`),
    opened: find(`${path}${suffix}`),
  }));
  return () => {
    for (const file of files) {
      const now = find(file.path);
      // SQLite makes the side files when it first needs them.
      if (file.opened === undefined) file.opened = now;
      else if (now?.ino !== file.opened.ino || now.dev !== file.opened.dev) {
        const what = now === undefined ? 'was deleted or moved' : 'was replaced by another file';
        const cause = new FileLost(`${file.path} ${what} while it was open`);
        return new StorageUnavailable('replaced', { cause });
      }
    }
    return undefined;
  };
};
