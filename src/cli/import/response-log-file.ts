import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../../lib/error-code.ts';
import { CommandFailed } from '../kit/command-context.ts';

/** A file of response logs, one JSON object a line, that goes on where it ended. */
export interface ResponseLogFile {
  /** The id of its last line; 0 where it has none. */
  readonly lastId: number;
  /** Adds lines; resolved means that they are on disk. */
  append(lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** No line is longer, in bytes. */
const MAX_LINE = 1_024;

function idOf(line: string): number | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
    return typeof value.id === 'number' && Number.isSafeInteger(value.id) ? value.id : undefined;
  } catch {
    // Not a line of ours; the caller says so.
    return undefined;
  }
}

/** Where the last complete line ends, and its id; what a run that was killed began to write lies behind it. */
async function lastLine(
  file: FileHandle,
): Promise<{ readonly end: number; readonly id: number } | undefined> {
  const { size } = await file.stat();
  if (size === 0) return { end: 0, id: 0 };
  const start = Math.max(0, size - 2 * MAX_LINE);
  const buffer = Buffer.alloc(size - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  const tail = buffer.subarray(0, bytesRead);
  const newline = tail.lastIndexOf('\n');
  if (newline === -1)
    return start === 0 && tail.toString().startsWith('{"id":') ? { end: 0, id: 0 } : undefined;
  const before = tail.lastIndexOf('\n', newline - 1);
  if (before === -1 && start > 0) return undefined;
  const id = idOf(tail.toString('utf8', before + 1, newline));
  return id === undefined ? undefined : { end: start + newline + 1, id };
}

/** Opens the file, made for this user alone where it is missing; a dry run (`apply` false) neither makes nor changes it. */
export async function openResponseLogFile(
  path: string,
  { apply }: { readonly apply: boolean },
): Promise<ResponseLogFile> {
  const file = await open(path, apply ? 'a+' : 'r', 0o600).catch((error: unknown) => {
    const code = errorCode(error) ?? 'unreadable';
    if (!apply && code === 'ENOENT') return undefined;
    throw new CommandFailed(`--response-logs: cannot use "${path}": ${code}.`, 2, { cause: error });
  });
  if (file === undefined) return { lastId: 0, append: async () => {}, close: async () => {} };
  const last = await lastLine(file);
  if (last === undefined) {
    await file.close();
    throw new CommandFailed(`--response-logs: "${path}" is not a file that this command has written.`, 2);
  }
  if (apply) await file.truncate(last.end);
  return {
    lastId: last.id,
    append: async (lines) => {
      if (!apply || lines.length === 0) return;
      await file.appendFile(lines.map((line) => `${line}\n`).join(''));
      await file.datasync();
    },
    close: () => file.close(),
  };
}
