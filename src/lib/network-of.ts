import { isIPv4 } from 'node:net';

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
