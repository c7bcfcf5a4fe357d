import { isIP } from 'node:net';
import { bareAddress } from './bare-address.ts';

/**
 * The name under which a client's address is counted: an IPv4 address as it is, also one that is written as IPv6, and of
 * an IPv6 address its /64 network, which is what one household or server has (RFC 6177). A port that some proxies put behind
 * the address does not matter. Whatever is no address shares one name.
 */
export function addressGroup(address: string): string {
  const bare = bareAddress(address);
  switch (isIP(bare)) {
    case 4:
      return bare;
    case 6:
      return ipv6Group(bare);
    default:
      return 'unknown';
  }
}

function ipv6Group(address: string): string {
  const hextets = hextetsOf(address);
  const isMapped = hextets.slice(0, 5).every((hextet) => hextet === 0) && hextets[5] === 0xffff;
  if (!isMapped) {
    const network = hextets.slice(0, 4).map((hextet) => hextet.toString(16));
    return `${network.join(':')}::/64`;
  }
  return hextets
    .slice(6)
    .flatMap((hextet) => [hextet >> 8, hextet & 0xff])
    .join('.');
}

/** The eight numbers of an IPv6 address; `::` stands for as many zeros as are missing. */
function hextetsOf(address: string): readonly number[] {
  const [before = '', after] = address.split('::');
  const head = numbersOf(before);
  const tail = numbersOf(after ?? '');
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Its last part may be an IPv4 address, which is two numbers. */
function numbersOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
