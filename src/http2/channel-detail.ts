import { errorCode } from '../lib/error-code.ts';

const MAX_DETAIL = 200;
/** Bytes of a GOAWAY's debug data that are read; Apple's are about 50. */
const MAX_GOAWAY = 4_096;
/** Characters of a reason in a log line. */
const MAX_WORD = 60;

/** A peer's words made fit for a log line: printable ASCII only, at most 200 characters. */
export function printable(text: string): string {
  return text.slice(0, MAX_DETAIL).replaceAll(/[^\x20-\x7e]/g, '?');
}

/** The debug data of a GOAWAY (RFC 9113, 6.8), where Apple puts the reason as JSON: its first 4 KiB, without blanks and NULs around. */
export function goawayText(data: NodeJS.ArrayBufferView | undefined): string {
  return data === undefined
    ? ''
    : Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, MAX_GOAWAY))
        .toString('latin1')
        .replaceAll(/^[\s\0]+|[\s\0]+$/g, '');
}

/** What a GOAWAY said, for a log line: its code and its debug data, of long data the reason. */
export function goawayDetail(code: number, text: string): string {
  if (text === '') return `code ${code}`;
  const word = text.length > MAX_DETAIL ? reasonIn(text) : undefined;
  return printable(`code ${code}: ${word?.slice(0, MAX_WORD) ?? text}`);
}

/** The `reason` of a JSON object. */
function reasonIn(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === 'object' && parsed !== null && 'reason' in parsed;
    return isObject && typeof parsed.reason === 'string' ? parsed.reason : undefined;
  } catch {
    return undefined;
  }
}

/** One line for an error of a connection: its code and its message, also of one that only gathers others. */
export function errorDetail(error: Error): string {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const told = error.message === '' && inner instanceof Error ? inner : error;
  const code = errorCode(told);
  const more = code === undefined || told.message.includes(code) ? '' : ` (${code})`;
  return printable(`${told.message}${more}`);
}
