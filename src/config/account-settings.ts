import { absolutePath, baseUrl, integer, isLoopback, isLoopbackUrl, oneOf } from './parsers.ts';
import type { SettingsReader } from './settings-reader.ts';

/** Who may register phones: nobody is asked, or the platform API is. */
export type AccountAuth =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'voipgrid';
      readonly baseUrl: string;
      readonly userPath: string;
      readonly timeoutMs: number;
    };

/** How far requests may come from. */
export interface Reach {
  readonly host: string;
  /** Where apps answer to; undefined: the address that is listened on. */
  readonly responseApi: string | undefined;
  /** Whether a proxy forwards requests of others. */
  readonly proxied: boolean;
}

const PROFILE_PATH = '/api/permission/systemuser/profile/';

/**
 * Reads `ACCOUNT_AUTH` and `VG_API_…`. That nobody is asked is the default only where nobody else can reach the service: not
 * where a proxy on this machine shows it to others.
 */
export function readAccountAuth(reader: SettingsReader, reach: Reach): AccountAuth {
  const why = whyReachable(reach);
  const inForce = why === undefined ? 'none' : '';
  const wanted = reader.readOptional('ACCOUNT_AUTH', oneOf('none', 'voipgrid'), inForce);
  const platform = reader.readOptional('VG_API_BASE_URL', baseUrl);
  const userPath = reader.read('VG_API_USER_URL', PROFILE_PATH, absolutePath);
  const timeoutMs = reader.read('VG_API_TIMEOUT', '3000', integer(100, 60_000, 'milliseconds'));
  if (wanted === 'voipgrid') {
    if (platform === undefined)
      reader.problem('ACCOUNT_AUTH=voipgrid needs VG_API_BASE_URL, the platform API');
    return { kind: 'voipgrid', baseUrl: platform ?? '', userPath, timeoutMs };
  }
  if (wanted === 'none' && !isLoopback(reach.host)) {
    reader.problem(
      `ACCOUNT_AUTH=none lets anyone register a phone and is only accepted while HOST is a loopback address, not ${reach.host}; set ACCOUNT_AUTH=voipgrid and VG_API_BASE_URL`,
    );
  } else if (wanted === undefined && !reader.isSet('ACCOUNT_AUTH') && why !== undefined) {
    reader.problem(`ACCOUNT_AUTH must be set because ${why}; set ACCOUNT_AUTH=voipgrid and VG_API_BASE_URL`);
  }
  return { kind: 'none' };
}

function whyReachable({ host, responseApi, proxied }: Reach): string | undefined {
  if (!isLoopback(host)) return `HOST=${host} is not a loopback address`;
  if (responseApi !== undefined && !isLoopbackUrl(responseApi)) {
    return 'APP_API_URL is no address of this machine alone, so others reach this service';
  }
  return proxied ? 'TRUST_PROXY names a proxy, through which others reach this service' : undefined;
}
