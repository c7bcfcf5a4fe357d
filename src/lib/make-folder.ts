import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './error-code.ts';

/** Folders that are made for one path at most. */
const MAX_DEPTH = 64;

/**
 * Makes a folder and what is missing above it, for this user alone. Not `mkdir`'s own `recursive`: that never returns
 * where the file system answers ENOENT for a new entry, as /proc does (seen with Node.js 24). Rejects as `mkdir` does.
 */
export async function makeFolder(path: string, depth = 0): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || depth >= MAX_DEPTH || (await exists(parent))) throw error;
    await makeFolder(parent, depth + 1);
    await makeFolder(path, MAX_DEPTH);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
