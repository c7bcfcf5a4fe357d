import { isIP } from 'node:net';

/**
 * The name under which a client's address is counted: an IPv4 address as it is, also one that is written as IPv6, and of
 * an IPv6 address its /64 network, which is what one household or server has (RFC 6177). Whatever is no address shares
 * one name.
 */
export function addressGroup(address: string): string {
  switch (isIP(address)) {
    case 4:
      return address;
    case 6:
      return /^::ffff:([\d.]+)$/i.exec(address)?.[1] ?? `${firstHextets(address).join(':')}::/64`;
    default:
      return 'unknown';
  }
}

/** The first four of the eight; `::` stands for as many zeros as are missing. */
function firstHextets(address: string): string[] {
  const [before = '', after] = address.split('%', 1).join('').split('::');
  const hextets = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const head = hextets(before);
  const tail = hextets(after ?? '');
  const written = head.length + tail.length + (address.includes('.') ? 1 : 0);
  const zeros: string[] = new Array(after === undefined ? 0 : 8 - written).fill('0');
  return [...head, ...zeros, ...tail].slice(0, 4).map((hextet) => Number.parseInt(hextet, 16).toString(16));
}
