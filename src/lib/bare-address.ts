import { isIP } from 'node:net';

/** `192.0.2.7:1234`, `192.0.2.7:`, `[2001:db8::7]:1234`, `[2001:db8::7]`; quoted as in RFC 7239, too. */
const WITH_PORT = /^"?(?:\[([^\]"]*)\]|([\d.]+))(?::\d*)?"?$/;
/** How a socket for both families writes IPv4 (RFC 4291, 2.5.5.2). */
const MAPPED = /^::ffff:([\d.]+)$/i;

/**
 * The IP address in what a proxy or a socket calls one: without the port that Azure and IIS add, quotation marks,
 * brackets and zone, and IPv4 as IPv4. Text that holds no address comes back as it is. A
 * socket whose client has gone has none: empty, whatever its types say.
 */
export function bareAddress(text: string | undefined): string {
  if (text === undefined) return '';
  switch (isIP(text)) {
    case 4:
      return text;
    case 6:
      return text.replace(/%.*$/s, '').replace(MAPPED, '$1');
    default: {
      const [, ipv6, ipv4] = WITH_PORT.exec(text.trim()) ?? [];
      const address = ipv6 ?? ipv4 ?? '';
      return isIP(address) === (ipv6 === undefined ? 4 : 6) ? bareAddress(address) : text;
    }
  }
}
