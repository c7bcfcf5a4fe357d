import type { HostPort } from '../lib/redis-address.ts';
import { askOnce } from './ask-once.ts';
import { ErrorReply, faultOf } from './error-reply.ts';
import { type RedisFault, RedisUnavailable } from './redis-unavailable.ts';
import type { Login, ServerConnection } from './server-connection.ts';

/** Milliseconds that one Sentinel may take to answer. */
const SENTINEL_LIMIT_MS = 500;

/**
 * The address of the master that the first answering Sentinel names; each is asked in turn
 * (https://redis.io/docs/latest/develop/reference/sentinel-clients/). Rejects with `RedisUnavailable`.
 */
export const findMaster = async (
  sentinels: readonly HostPort[],
  master: string,
  login: Login,
  signal: AbortSignal,
): Promise<HostPort> => {
  let fault: RedisFault = 'no-master';
  for (const sentinel of sentinels) {
    if (signal.aborted) break;
    try {
      const found = masterOf(await askSentinel(sentinel, master, login, signal));
      if (found !== undefined) return found;
    } catch (error) {
      fault = faultOf(error) ?? fault;
    }
  }
  throw new RedisUnavailable(fault);
};

/** Most Sentinels want no password and refuse one; one that wants it is given that of Redis. */
const askSentinel = async (
  sentinel: HostPort,
  master: string,
  login: Login,
  signal: AbortSignal,
): Promise<unknown> => {
  const ask = (connection: ServerConnection) =>
    connection.call('SENTINEL', ['get-master-addr-by-name', master]);
  const anonymous = { ...login, username: undefined, password: undefined, database: 0 };
  try {
    return await askOnce(sentinel, anonymous, SENTINEL_LIMIT_MS, signal, ask);
  } catch (error) {
    if (!(error instanceof ErrorReply) || error.code !== 'NOAUTH' || login.password === undefined)
      throw error;
    return askOnce(sentinel, { ...login, database: 0 }, SENTINEL_LIMIT_MS, signal, ask);
  }
};

const masterOf = (answer: unknown): HostPort | undefined => {
  if (!Array.isArray(answer)) return undefined;
  const [host, port]: unknown[] = answer;
  return typeof host === 'string' && typeof port === 'string' ? { host, port: Number(port) } : undefined;
};
