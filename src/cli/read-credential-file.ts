import { open } from 'node:fs/promises';
import { MAX_CREDENTIAL_TEXT } from '../devices/app-credential/credential-reading.ts';
import { CommandFailed } from './command-context.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'this is a folder',
};

/** The text of a credential's file; throws `CommandFailed` that names `option`. Reads no more than a credential can have. */
export async function readCredentialFile(option: string, path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const buffer = Buffer.alloc(MAX_CREDENTIAL_TEXT + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) break;
    }
    if (length < buffer.length) return buffer.toString('utf8', 0, length);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new CommandFailed(`${option}: cannot read "${path}": ${REASONS[code] ?? code}.`, 2, {
      cause: error,
    });
  }
  throw new CommandFailed(`${option}: "${path}" is too large to be a credential.`, 2);
}
