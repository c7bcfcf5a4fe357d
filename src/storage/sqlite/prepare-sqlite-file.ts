import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../../lib/error-code.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { DatabaseUrlError } from '../database-url-error.ts';

/** Codes of https://man7.org/linux/man-pages/man3/errno.3.html that the operator can do something about. */
const EXPLANATIONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a part of the path is a file, not a folder',
  ENOENT: 'its folder cannot be made there',
  EISDIR: 'this is a folder, not a file',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
};

function explain(error: unknown): string {
  const code = errorCode(error) ?? '';
  return EXPLANATIONS[code] ?? `the file cannot be opened (${code || 'unknown error'})`;
}

/**
 * Makes sure that `path` is a file that we may write, creating it and its folders for this user alone: credentials are
 * kept in it. SQLite gives its side files the same permissions. Rejects with `DatabaseUrlError`.
 */
export async function prepareSqliteFile(path: string): Promise<void> {
  try {
    await makeFolder(dirname(path));
    const file = await open(path, 'a', 0o600);
    await file.close();
  } catch (error) {
    throw new DatabaseUrlError(`cannot use ${path}: ${explain(error)}`, { cause: error });
  }
}
