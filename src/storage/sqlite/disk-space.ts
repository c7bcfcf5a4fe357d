import { constants, type StatsFs, statfsSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Free bytes below which a write may fail: a commit needs pages of 4 KiB in the -wal file, and more at times. */
const LITTLE_SPACE = 1024 * 1024;
/** Free bytes below which hardly any write can work: SQLite makes the -shm file in pieces of 32 KiB. */
const NO_SPACE = 64 * 1024;

function hasLess({ bavail, bsize, files, ffree }: StatsFs, bytes: number): boolean {
  // Some file systems do not count files.
  return bavail * bsize < bytes || (files > 0 && ffree === 0);
}

/** Whether the file system of `path` has no room; false where that cannot be told. */
export function isDiskFull(path: string): boolean {
  try {
    return hasLess(statfsSync(dirname(path)), NO_SPACE);
  } catch {
    return false;
  }
}

/** Whether the next write to `path` may fail: little space is left, or its file system became read-only. */
export async function mayNotWrite(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return hasLess(await statfs(dirname(path)), LITTLE_SPACE);
  } catch {
    return true;
  }
}
