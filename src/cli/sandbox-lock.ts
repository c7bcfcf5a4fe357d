import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CommandFailed } from './kit/command-context.ts';

/** SQLITE_BUSY: another process holds the lock (https://www.sqlite.org/rescode.html#busy). */
const BUSY = 5;

/**
 * Keeps other sandboxes out of a folder until it is closed or this process ends, however it ends: the lock is SQLite's, which
 * the system releases. Throws CommandFailed if another sandbox has it, and what SQLite throws if the file cannot be used.
 */
export function lockFolder(folder: string): { close(): void } {
  const lock = new DatabaseSync(join(folder, 'sandbox.lock'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    const isBusy = error instanceof Error && 'errcode' in error && error.errcode === BUSY;
    if (!isBusy) throw error;
    throw new CommandFailed(`--folder: another sandbox uses ${folder}: stop it or give another folder.`, 1, {
      cause: error,
    });
  }
}
