import { InvalidArgumentError } from 'commander';
import { decodeToken } from '../http/wire/fields/decode-token.ts';

/** For the option parser: a push token as a phone would register it. */
export function registrableToken(text: string): string {
  const token = decodeToken(text);
  if (token.ok) return token.value;
  throw new InvalidArgumentError(`No phone registers this token: it ${token.problem}.`);
}
