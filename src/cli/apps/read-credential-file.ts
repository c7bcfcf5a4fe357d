import { createReadStream } from 'node:fs';
import { MAX_CREDENTIAL_TEXT } from '../../apps/credential/credential-reading.ts';
import { errorCode } from '../../lib/error-code.ts';
import { CommandFailed } from '../kit/command-context.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'this is a folder',
};

/** The text of a credential's file, or of standard input for `-`; throws `CommandFailed` that names `option`. Reads no more than a credential can have. */
export async function readCredentialFile(option: string, path: string): Promise<string> {
  try {
    const input = path === '-' ? process.stdin : createReadStream(path);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of input) {
      const bytes = Buffer.from(chunk);
      chunks.push(bytes);
      length += bytes.length;
      if (length > MAX_CREDENTIAL_TEXT) break;
    }
    if (length <= MAX_CREDENTIAL_TEXT) return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    const code = errorCode(error) ?? 'unreadable';
    throw new CommandFailed(`${option}: cannot read "${path}": ${REASONS[code] ?? code}.`, 2, {
      cause: error,
    });
  }
  throw new CommandFailed(`${option}: "${path}" is too large to be a credential.`, 2);
}
