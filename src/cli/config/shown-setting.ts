import type { FoundSetting } from '../../config/settings-reader.ts';
import { shownProxyAddress } from '../../lib/proxy-address.ts';
import { isServerAddress, readDatabaseAddress } from '../../storage/address/database-address.ts';

const HIDDEN = '(hidden)';
/** `user:password@` in a setting that takes none. */
const CREDENTIALS = /:.*@/s;

/**
 * A setting's value as a person may see it: secrets hidden, the address of a database or proxy without its password. Of an
 * address that cannot be used, any part may be a password.
 */
export function shownSetting({ name, value, secret }: FoundSetting): string {
  if (value === '') return '(not set)';
  if (!secret) return CREDENTIALS.test(value) ? HIDDEN : value;
  if (name === 'DATABASE_URL') return shownDatabaseUrl(value);
  return /_PROXY$/i.test(name) ? shownProxy(value) : HIDDEN;
}

function shownProxy(value: string): string {
  return value === 'off' ? value : (shownProxyAddress(value) ?? HIDDEN);
}

/** Without user's password and without the query, which may hold one. */
function shownDatabaseUrl(address: string): string {
  if (!isServerAddress(address)) return /^sqlite:(?!\/\/)/i.test(address) ? address : HIDDEN;
  const url = readDatabaseAddress(address).ok ? URL.parse(address) : null;
  if (url === null) return HIDDEN;
  const user = url.username === '' ? '' : `${url.username}${url.password === '' ? '' : `:${HIDDEN}`}@`;
  const query = url.search === '' ? '' : `?${HIDDEN}`;
  return `${url.protocol}//${user}${url.host}${url.pathname}${query}`;
}
