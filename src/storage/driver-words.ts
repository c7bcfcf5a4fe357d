/**
 * What a driver, the server or the system said, in one line, for the operator who reads what a command prints; undefined
 * where it is no error with words. May name user, host and database, never the password.
 */
export const driverWords = (error: unknown): string | undefined => {
  // All addresses of a name were tried in vain; each says why.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return undefined;
  const line = first.message.split('\n', 1)[0]?.trim() ?? '';
  return line === '' ? undefined : line;
};
