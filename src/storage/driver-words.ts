/** What mysql2 says of a way to sign in that it lacks, and of one that it does not use without TLS. */
const SIGN_IN = /request(?:s|ed) authentication using (?:unknown plugin )?(\w+)/;

/**
 * What a driver, the server or the system said, in one line, for the operator who reads what a command prints; undefined
 * where it is no error with words. May name user, host and database, never the password.
 */
export function driverWords(error: unknown): string | undefined {
  // All addresses of a name were tried in vain; each says why.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return undefined;
  const line = first.message.split('\n', 1)[0]?.trim() ?? '';
  const plugin = SIGN_IN.exec(line)?.[1];
  if (plugin !== undefined)
    return `the user signs in by ${plugin}, which this service does not support; identify it by mysql_native_password, or MySQL's caching_sha2_password`;
  return line === '' ? undefined : line;
}
