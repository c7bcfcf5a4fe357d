/** The methods that any of our endpoints has. */
type Method = 'GET' | 'POST' | 'DELETE';

/**
 * One endpoint as the server registers it. Methods that are not in `methods` are answered 405 with them as `Allow`.
 */
export interface Endpoint<N extends string = string> {
  readonly name: N;
  /** As documented: with the trailing slash. */
  readonly path: string;
  /** Route patterns that lead to it; case-sensitive. */
  readonly patterns: readonly string[];
  readonly methods: readonly Method[];
}

/**
 * The reference matches `^/api/x/` without an end: vialer-android 3.0 to 5.3 posts its answer to
 * `/api/call-response/api/call-response/`. The form without slash is what Flutter's DELETE uses; the reference
 * redirected it, which no client follows.
 */
function prefixEndpoint<N extends string>(name: N, methods: readonly Method[]): Endpoint<N> {
  const path = `/api/${name}/`;
  return { name, path, patterns: [`/api/${name}`, path, `${path}*`], methods };
}

function exactEndpoint<N extends string>(name: N, methods: readonly Method[]): Endpoint<N> {
  const path = `/${name}`;
  return { name, path, patterns: [path, `${path}/`], methods };
}

/** The endpoints of PBXs, apps and operators, by what they are for. */
export const ENDPOINTS = {
  incomingCall: prefixEndpoint('incoming-call', ['POST']),
  callCancelled: prefixEndpoint('call-cancelled', ['POST']),
  callResponse: prefixEndpoint('call-response', ['POST']),
  apnsDevice: prefixEndpoint('apns-device', ['POST', 'DELETE']),
  gcmDevice: prefixEndpoint('gcm-device', ['POST', 'DELETE']),
  androidDevice: prefixEndpoint('android-device', ['POST', 'DELETE']),
  hangupReason: prefixEndpoint('hangup-reason', ['POST']),
  logMetrics: prefixEndpoint('log-metrics', ['POST']),
  checkIn: prefixEndpoint('check-in', ['POST']),
  alive: exactEndpoint('healthz', ['GET']),
  ready: exactEndpoint('readyz', ['GET']),
  openApi: exactEndpoint('openapi.json', ['GET']),
} as const;

/** All of them. */
export const ALL_ENDPOINTS: readonly Endpoint[] = Object.values(ENDPOINTS);

const ENDPOINT_OF_PATH = /^\/api\/([a-z-]{1,20})(?:[/?#]|$)/;
const API_NAMES: ReadonlySet<string> = new Set(
  ALL_ENDPOINTS.filter(({ path }) => path.startsWith('/api/')).map(({ name }) => name),
);

/** The endpoint's name for log and metric: a closed set, whatever was asked for. `url` as it is routed. */
export function endpointOf(url: string): string {
  const name = ENDPOINT_OF_PATH.exec(url)?.[1] ?? '';
  return API_NAMES.has(name) ? name : 'other';
}

/** Whether an endpoint is for PBXs, which read plain text. */
export function isPbxEndpoint(name: string): boolean {
  return name === ENDPOINTS.incomingCall.name || name === ENDPOINTS.callCancelled.name;
}
