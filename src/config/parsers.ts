import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Parse } from './settings-reader.ts';

/** A whole number within bounds, both included. */
export function integer(min: number, max: number, unit?: string): Parse<number> {
  return (text) => {
    const value = Number(text);
    return /^\d{1,15}$/.test(text) && value >= min && value <= max
      ? { value }
      : {
          expected: `must be a whole number${unit === undefined ? '' : ` of ${unit}`} from ${min} to ${max}`,
        };
  };
}

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): Parse<T> {
  return (text) => {
    const value = words.find((word) => word === text);
    return value === undefined ? { expected: `must be one of: ${words.join(', ')}` } : { value };
  };
}

/** Any text. */
export const text: Parse<string> = (value) => ({ value });

/** An IP address or a host name, as a server listens on it. */
export const listenHost: Parse<string> = (value) =>
  isIP(value) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/.test(value)
    ? { value }
    : { expected: 'must be an IP address or a host name' };

/** Whether a listener on this host can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Whether an address that `URL` takes names this machine alone. */
export function isLoopbackUrl(url: string): boolean {
  return isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''));
}

/** An absolute http or https address without user, query or fragment; comes back ending in `/`. */
export const baseUrl: Parse<string> = (value) => {
  const expected = 'must be an absolute http:// or https:// address without user, query or fragment';
  if (!URL.canParse(value)) return { expected };
  const url = new URL(value);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!plain || (url.protocol !== 'https:' && url.protocol !== 'http:')) return { expected };
  return { value: url.href.endsWith('/') ? url.href : `${url.href}/` };
};

/** An https origin: scheme, host and port only. Pushes carry secrets, so they never go out unencrypted. */
export const httpsOrigin: Parse<string> = (value) => {
  const expected = 'must be an https:// address with nothing behind host and port';
  if (!URL.canParse(value)) return { expected };
  const url = new URL(value);
  const bare = url.pathname === '/' && url.search === '' && url.hash === '';
  const named = url.username !== '' || url.password !== '';
  return !named && url.protocol === 'https:' && bare ? { value: url.origin } : { expected };
};

/** An absolute path, as it follows a base address. */
export const absolutePath: Parse<string> = (value) =>
  /^\/[\x21-\x7e]*$/.test(value) && !value.startsWith('//')
    ? { value }
    : { expected: 'must be a path that starts with one slash' };

/** IP addresses and networks, and the text they came from. */
export interface NetworkList {
  readonly networks: readonly string[];
  /** Whether the address (IPv4, IPv6, or IPv4 written as IPv6) is in one of the networks. */
  contains(address: string): boolean;
}

/** Addresses and CIDR networks, IPv4 and IPv6, separated by commas or spaces. */
export const networkList: Parse<NetworkList> = (value) => {
  const networks = value.split(/[\s,]+/).filter((part) => part !== '');
  if (networks.length === 0) return { expected: 'must name at least one IP address or network' };
  const list = new BlockList();
  for (const network of networks) {
    const problem = addNetwork(list, network);
    if (problem !== undefined) return { expected: problem };
  }
  return {
    value: {
      networks,
      contains: remembered((address) => {
        const family = isIP(address);
        return family === 0 ? undefined : list.check(address, family === 4 ? 'ipv4' : 'ipv6');
      }),
    },
  };
};

/** Addresses whose verdict is kept: a telephone company's PBXs and proxies, which ask again and again. */
const MAX_REMEMBERED = 1_000;

/** The same verdicts, most of them without looking through the list again; no verdict, on what is no address, is no. */
function remembered(judge: (address: string) => boolean | undefined): (address: string) => boolean {
  const verdicts = new Map<string, boolean>();
  return (address) => {
    const known = verdicts.get(address);
    if (known !== undefined) return known;
    const verdict = judge(address);
    // Text that is no address may be of any length.
    if (verdict === undefined) return false;
    if (verdicts.size >= MAX_REMEMBERED) verdicts.clear();
    verdicts.set(address, verdict);
    return verdict;
  };
}

/** Adds an address or a network; else what is wrong with it. */
function addNetwork(list: BlockList, network: string): string | undefined {
  const [address = '', prefix, ...rest] = network.split('/');
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const isPrefix = prefix === undefined || (/^(?:0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= bits);
  if (family === 0 || address.includes('%') || rest.length > 0 || !isPrefix) {
    return `must be a list of IP addresses or networks such as 10.0.0.0/8; ${network} is not one`;
  }
  const length = prefix === undefined ? bits : Number(prefix);
  const begin = networkOf(address, length);
  if (begin !== undefined) {
    return `must not contain ${network}, which has host bits set: write ${begin}/${length} for the network, or ${address}/${bits} for the one address`;
  }
  list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  return undefined;
}

/** A token to be sent in a header: visible ASCII, long enough not to be guessed. */
export const bearerToken: Parse<string> = (value) =>
  /^[\x21-\x7e]{16,512}$/.test(value)
    ? { value }
    : { expected: 'must be 16 to 512 visible ASCII characters without spaces' };

/**
 * The first address of the network that an IP address of `prefix` bits lies in; undefined where it is that address
 * itself. `address` must be an IP address without a zone, `prefix` at most its number of bits.
 */
export function networkOf(address: string, prefix: number): string | undefined {
  const isV4 = isIPv4(address);
  const [bits, number] = isV4 ? [32, ipv4Number(address)] : [128, ipv6Number(address)];
  const rest = BigInt(bits - prefix);
  const begin = (number >> rest) << rest;
  if (begin === number) return undefined;
  return isV4 ? ipv4Text(begin) : ipv6Text(begin);
}

function ipv4Number(address: string): bigint {
  return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv4Text(number: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.');
}

/** The URL parser writes every IPv6 address in its one short form: hextets and at most one `::`. */
function ipv6Number(address: string): bigint {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const before = hextetsOf(head);
  const after = hextetsOf(tail ?? '');
  const zeros = new Array<bigint>(8 - before.length - after.length).fill(0n);
  return [...before, ...zeros, ...after].reduce((sum, hextet) => sum * 65_536n + hextet, 0n);
}

function hextetsOf(text: string): readonly bigint[] {
  return text === '' ? [] : text.split(':').map((hextet) => BigInt(`0x${hextet}`));
}

function ipv6Text(number: bigint): string {
  const hextets = number.toString(16).padStart(32, '0').match(/.{4}/g) ?? [];
  return new URL(`http://[${hextets.join(':')}]`).hostname.slice(1, -1);
}
