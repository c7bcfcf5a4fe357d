import { Agent, buildConnector } from 'undici';
import type { ForwardProxy } from './proxy-route.ts';
import { openTunnel } from './proxy-tunnel.ts';

/** What an agent is made for. */
export interface HttpAgentOptions {
  /** Undefined: directly. */
  readonly proxy: ForwardProxy | undefined;
  /** Milliseconds for a connection to the proxy or, without one, to the server; TLS through a tunnel takes as long again. */
  readonly connectTimeoutMs: number;
  /** Connections to one origin. */
  readonly connections?: number;
  /** Bytes of an answer. */
  readonly maxResponseSize?: number;
}

/**
 * Makes an undici agent that reaches everything by `proxy`. http: addresses go through a tunnel too: of a forwarded
 * request, the proxy's own 403 could not be told from the server's.
 */
export function createHttpAgent({ proxy, connectTimeoutMs, ...limits }: HttpAgentOptions): Agent {
  const timeout = { timeout: connectTimeoutMs };
  const connect = proxy === undefined ? timeout : throughProxy(proxy, connectTimeoutMs);
  return new Agent({ ...limits, connect });
}

function throughProxy(proxy: ForwardProxy, timeoutMs: number): buildConnector.connector {
  const secure = buildConnector({ timeout: timeoutMs });
  return (options, callback) => {
    const isSecure = options.protocol === 'https:';
    const target = {
      host: options.hostname.replace(/^\[|\]$/g, ''),
      port: options.port === '' ? (isSecure ? 443 : 80) : Number(options.port),
    };
    const tunnelling = openTunnel(proxy, target, {
      opened: (tunnel) => {
        clearTimeout(timer);
        if (isSecure) secure({ ...options, httpSocket: tunnel }, callback);
        else callback(null, tunnel);
      },
      failed: (error) => {
        clearTimeout(timer);
        callback(error, null);
      },
    });
    const timer = setTimeout(() => {
      const late = tunnelling.late(timeoutMs);
      tunnelling.cancel();
      callback(late, null);
    }, timeoutMs);
  };
}
