import { readNoProxy } from '../lib/no-proxy.ts';
import { type ProxyAddress, readProxyAddress } from '../lib/proxy-address.ts';
import type { ProxyRoute, ProxyRoutes } from '../lib/proxy-route.ts';
import type { AccountAuth } from './account-settings.ts';
import type { Parse, SettingsReader, SettingsSource, SharedVariable } from './settings-reader.ts';

/** Which forward proxy applies to what. */
export interface ProxySettings {
  readonly proxies: {
    /** To push services and their token endpoints. */
    readonly push: ProxyRoutes;
    /** To the platform API. */
    readonly accounts: ProxyRoutes;
  };
}

const pushProxy: Parse<'off' | ProxyAddress> = (text) => {
  if (text.toLowerCase() === 'off') return { value: 'off' };
  const reading = readProxyAddress(text);
  return reading.ok ? { value: reading.address } : { expected: `${reading.problem}; or off` };
};

/**
 * Reads PUSH_PROXY, and the variables that curl reads (https://curl.se/docs/manpage.html#ENVIRONMENT): the names in lower
 * case first, `HTTP_PROXY` not at all, because a CGI server fills it from a request's header (https://httpoxy.org).
 * `platformApi` is its base address; undefined: it is not asked. A variable by which nothing goes is not looked at: it is written for other programs.
 */
export function readProxySettings(reader: SettingsReader, platformApi: string | undefined): ProxySettings {
  const push = reader.readSecret('PUSH_PROXY', pushProxy);
  const https = reader.readShared(['https_proxy', 'HTTPS_PROXY'], true);
  const http = reader.readShared(['http_proxy'], true);
  const all = reader.readShared(['all_proxy', 'ALL_PROXY'], true);
  const no = reader.readShared(['no_proxy', 'NO_PROXY'], false);

  const choices = new Map<SharedVariable | undefined, ProxyRoute>();
  const chosen = (variable: SharedVariable | undefined): ProxyRoute => {
    const known = choices.get(variable);
    const choice = known ?? choiceOf(reader, variable);
    choices.set(variable, choice);
    return choice;
  };
  const except = (choice: ProxyRoute): ProxyRoutes => exceptFor(no, choice);
  return {
    proxies: {
      push: except(reader.isSet('PUSH_PROXY') ? pushChoice(push) : chosen(https ?? all)),
      accounts: except(
        platformApi === undefined ? NONE : chosen((isHttp(platformApi) ? http : https) ?? all),
      ),
    },
  };
}

const NONE: ProxyRoute = { proxy: undefined, setting: undefined };

function pushChoice(push: 'off' | ProxyAddress | undefined): ProxyRoute {
  const setting = 'PUSH_PROXY';
  return { setting, proxy: push === undefined || push === 'off' ? undefined : { ...push, setting } };
}

function choiceOf(reader: SettingsReader, variable: SharedVariable | undefined): ProxyRoute {
  if (variable === undefined) return NONE;
  const { name: setting, text } = variable;
  const reading = readProxyAddress(text);
  if (!reading.ok) {
    reader.problem(
      `${setting} ${reading.problem}; PUSH_PROXY (an address or off) overrides it for push services`,
    );
    return NONE;
  }
  return { setting, proxy: { ...reading.address, setting } };
}

function exceptFor(no: SharedVariable | undefined, choice: ProxyRoute): ProxyRoutes {
  if (no === undefined || choice.proxy === undefined) return () => choice;
  const excepted = readNoProxy(no.text);
  const directly: ProxyRoute = { proxy: undefined, setting: no.name };
  return (url) => (excepted(url) ? directly : choice);
}

/** Doubts about proxies, for `settingWarnings`. */
export function proxyWarnings(
  env: SettingsSource['env'],
  { accountAuth, proxies }: ProxySettings & { readonly accountAuth: AccountAuth },
): readonly string[] {
  const upper = env['HTTP_PROXY']?.trim() ?? '';
  if (upper === '' || accountAuth.kind === 'none' || !isHttp(accountAuth.baseUrl)) return [];
  if (proxies.accounts(new URL(accountAuth.baseUrl)).setting !== undefined) return [];
  return [
    'HTTP_PROXY in capitals has no effect, as with curl: the platform API is reached directly; set http_proxy if it needs the proxy',
  ];
}

function isHttp(address: string): boolean {
  return address.startsWith('http:');
}
