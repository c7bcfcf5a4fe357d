import { type Kysely, sql } from 'kysely';
import type { SqlDialect } from '../database.ts';
import { DatabaseUrlError } from '../database-url-error.ts';
import { driverWords } from '../driver-words.ts';
import type { Tables } from '../tables.ts';

/** Of a name that does not exist: https://nodejs.org/api/dns.html#error-codes; a name server that is away says otherwise. */
const isUnknownHost = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOTFOUND';

const told = (text: string, words: string | undefined): string =>
  words === undefined ? text : `${text}: ${words}`;

/**
 * Asks the server what it is: what `expression`, SQL without parameters, gives. What the operator has to set right
 * becomes a fault of the address; a server that is away for now does not.
 */
export const firstContact = async (
  kysely: Kysely<Tables>,
  expression: string,
  faultOf: SqlDialect['faultOf'],
): Promise<string> => {
  try {
    const { rows } = await sql<{ answer: string }>`select ${sql.raw(expression)} as answer`.execute(kysely);
    return rows[0]?.answer ?? '';
  } catch (error) {
    const cause = { cause: error };
    if (isUnknownHost(error)) throw new DatabaseUrlError('there is no host of this name', cause);
    const words = driverWords(error);
    switch (faultOf(error)) {
      case 'refused':
        throw new DatabaseUrlError(told('the server refuses this user, password or database', words), cause);
      case 'untrusted':
        throw new DatabaseUrlError(
          told('no trusted encrypted connection to the server; look at sslmode and sslrootcert', words),
          cause,
        );
      case undefined:
        throw new DatabaseUrlError(told('the server cannot be used', words), cause);
      default:
        throw error;
    }
  }
};
