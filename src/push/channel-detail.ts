const MAX_DETAIL = 200;

/** A peer's words made fit for a log line: printable ASCII only, at most 200 characters. */
const printable = (text: string): string => text.slice(0, MAX_DETAIL).replaceAll(/[^\x20-\x7e]/g, '?');

/** The debug data of a GOAWAY (RFC 9113, 6.8), where Apple puts the reason as JSON: its first 200 bytes. */
export const goawayText = (data: NodeJS.ArrayBufferView | undefined): string =>
  data === undefined
    ? ''
    : Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, MAX_DETAIL)).toString('latin1');

/** What a GOAWAY said, for a log line: its code and its debug data. */
export const goawayDetail = (code: number, text: string): string =>
  text === '' ? `code ${code}` : printable(`code ${code}: ${text}`);

const isCoded = (error: Error): error is Error & { readonly code: string } =>
  'code' in error && typeof error.code === 'string';

/** One line for an error of a connection: its code and its message, also of one that only gathers others. */
export const errorDetail = (error: Error): string => {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const told = error.message === '' && inner instanceof Error ? inner : error;
  const code = isCoded(told) && !told.message.includes(told.code) ? ` (${told.code})` : '';
  return printable(`${told.message}${code}`);
};
