import { BlockList, isIP } from 'node:net';

/** One entry of NO_PROXY. */
interface Exception {
  /** Undefined: any port. */
  readonly port: number | undefined;
  /** `host` in lower case, without brackets and final dot. */
  readonly holds: (host: string) => boolean;
}

/**
 * Reads NO_PROXY: which hosts are reached without a proxy. The rules are those that curl
 * (https://everything.curl.dev/usingcurl/proxies/env.html) and undici share: entries separated by commas or spaces; `*`
 * is every host; `example.com` and `.example.com` are that domain and everything in it, `*.example.com` only what is in
 * it; an IP address or a network (CIDR) matches a host that is written as an address, for no name is looked up; `:port`
 * limits an entry to a port. An entry that is none of these matches nothing.
 */
export function readNoProxy(text: string): (url: URL) => boolean {
  const exceptions = text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(readException);
  return (url) => {
    const host = bare(url.hostname);
    const port = url.port === '' ? USUAL_PORTS[url.protocol] : Number(url.port);
    return exceptions.some((each) => (each.port === undefined || each.port === port) && each.holds(host));
  };
}

const USUAL_PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 };

function readException(entry: string): Exception {
  // `host:port` has one colon, `[IPv6]:port` brackets; an IPv6 address alone has neither.
  const [, host = entry, digits] = /^([^:]+|\[.+\]):(\d+)$/.exec(entry) ?? [];
  return { port: digits === undefined ? undefined : Number(digits), holds: hostRule(bare(host)) };
}

function hostRule(name: string): Exception['holds'] {
  if (name === '*') return () => true;
  const [address = '', bits] = name.split('/');
  if (isIP(address) !== 0) return networkRule(address, bits);
  const onlyInside = name.startsWith('*.');
  const domain = name.replace(/^\*?\./, '');
  return (host) =>
    isIP(host) === 0 && ((host === domain && !onlyInside) || (domain !== '' && host.endsWith(`.${domain}`)));
}

function networkRule(address: string, bits: string | undefined): Exception['holds'] {
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  if (!(bits === undefined || /^\d{1,3}$/.test(bits)) || prefix > longest) return () => false;
  const network = new BlockList();
  network.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return (host) => {
    const hostFamily = isIP(host);
    return hostFamily !== 0 && network.check(host, hostFamily === 4 ? 'ipv4' : 'ipv6');
  };
}

/** Lower case, without the brackets of IPv6 and without the dot that ends a full name. */
function bare(host: string): string {
  const name = host.toLowerCase().replace(/^\[(.+)\]$/, '$1');
  return name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name;
}
