import type { FoundSetting } from '../config/settings-reader.ts';
import { shownProxyAddress } from '../lib/proxy-address.ts';

const HIDDEN = '(hidden)';

/** A setting's value as a person may see it: secrets hidden, the address of a database or proxy without its password. */
export function shownSetting({ name, value, secret }: FoundSetting): string {
  if (value === '') return '(not set)';
  if (!secret) return value;
  if (name === 'DATABASE_URL') return shownDatabaseUrl(value);
  return /_PROXY$/i.test(name) ? shownProxy(value) : HIDDEN;
}

function shownProxy(value: string): string {
  return value === 'off' ? value : (shownProxyAddress(value) ?? HIDDEN);
}

/** Without user's password and without the query, which may hold one. */
function shownDatabaseUrl(address: string): string {
  if (address.toLowerCase().startsWith('sqlite:')) return address;
  const url = URL.parse(address);
  // What is no address with a host may be anything, a password included.
  if (url === null || url.host === '') return HIDDEN;
  const user = url.username === '' ? '' : `${url.username}${url.password === '' ? '' : `:${HIDDEN}`}@`;
  const query = url.search === '' ? '' : `?${HIDDEN}`;
  return `${url.protocol}//${user}${url.host}${url.pathname}${query}`;
}
