import type { AccountAuth } from './account-settings.ts';
import { isLoopback, isLoopbackUrl, type NetworkList } from './parsers.ts';

/** What says who can reach the service, and who is let in. */
export interface Exposure {
  readonly host: string;
  readonly responseApi: string | undefined;
  readonly trustProxy: NetworkList | undefined;
  readonly accountAuth: AccountAuth;
}

/** Doubts about who can reach the service, for `settingWarnings`. */
export function exposureWarnings({
  host,
  responseApi,
  trustProxy,
  accountAuth,
}: Exposure): readonly string[] {
  const warnings: string[] = [];
  const isPublic = responseApi !== undefined && !isLoopbackUrl(responseApi);
  if (isPublic && isLoopback(host) && trustProxy === undefined) {
    warnings.push(
      'TRUST_PROXY is not set although APP_API_URL is public and HOST a loopback address: behind a proxy that it does not name all clients have one address, which PBX_ALLOW and the limits see',
    );
  }
  if (isPublic && isLoopback(host) && accountAuth.kind === 'none') {
    warnings.push(
      'ACCOUNT_AUTH=none lets anyone who reaches APP_API_URL register a phone for any account, unless the proxy in front authenticates users',
    );
  }
  const everybody = trustProxy?.networks.find((network) => /\/0+$/.test(network));
  if (everybody !== undefined) {
    warnings.push(
      `TRUST_PROXY holds ${everybody}, which is everybody: every client may then choose its address for PBX_ALLOW and the limits`,
    );
  }
  if (
    accountAuth.kind === 'voipgrid' &&
    accountAuth.baseUrl.startsWith('http:') &&
    !isLoopbackUrl(accountAuth.baseUrl)
  ) {
    warnings.push(
      'VG_API_BASE_URL is an http:// address: the credentials of users are sent there unencrypted',
    );
  }
  return warnings;
}
