import { askOnce } from './ask-once.ts';
import { ErrorReply, troubleOf } from './error-reply.ts';
import type { HostPort, RedisSettings } from './redis-address.ts';
import { type RedisTrouble, RedisUnavailable } from './redis-unavailable.ts';
import type { Login, ServerConnection } from './server-connection.ts';

/** Milliseconds that one Sentinel may take to answer. */
const SENTINEL_LIMIT_MS = 500;

/** The login of Redis, and that of the Sentinels if they have one of their own. */
interface Logins {
  readonly redis: Login;
  readonly own: RedisSettings['sentinelLogin'];
}

/**
 * The address of the master that the first answering Sentinel names; each is asked in turn
 * (https://redis.io/docs/latest/develop/reference/sentinel-clients/). Rejects with `RedisUnavailable`.
 */
export async function findMaster(
  sentinels: readonly HostPort[],
  master: string,
  logins: Logins,
  signal: AbortSignal,
): Promise<HostPort> {
  let trouble: RedisTrouble = { fault: 'no-master' };
  for (const sentinel of sentinels) {
    if (signal.aborted) break;
    try {
      const found = masterOf(await askSentinel(sentinel, master, logins, signal));
      if (found !== undefined) return found;
    } catch (error) {
      trouble = worse(trouble, troubleOf(error));
    }
  }
  const { fault, said } = trouble;
  throw new RedisUnavailable(fault, { ...(said !== undefined && { said }) });
}

/** A refused login is the operator's to mend, whatever else is wrong with other Sentinels. */
function worse(known: RedisTrouble, found: RedisTrouble | undefined): RedisTrouble {
  if (found === undefined || known.fault === 'sentinel-refused') return known;
  return found.fault === 'login-refused' ? { ...found, fault: 'sentinel-refused' } : found;
}

/**
 * Sentinels that have a login of their own are given that. Most others want no password and refuse one; one that wants
 * it is given that of Redis.
 */
async function askSentinel(
  sentinel: HostPort,
  master: string,
  { redis: login, own }: Logins,
  signal: AbortSignal,
): Promise<unknown> {
  const ask = (connection: ServerConnection) =>
    connection.call('SENTINEL', ['get-master-addr-by-name', master]);
  if (own !== undefined)
    return askOnce(sentinel, { ...login, ...own, database: 0 }, SENTINEL_LIMIT_MS, signal, ask);
  const anonymous = { ...login, username: undefined, password: undefined, database: 0 };
  try {
    return await askOnce(sentinel, anonymous, SENTINEL_LIMIT_MS, signal, ask);
  } catch (error) {
    if (!(error instanceof ErrorReply) || error.code !== 'NOAUTH' || login.password === undefined)
      throw error;
    return askOnce(sentinel, { ...login, database: 0 }, SENTINEL_LIMIT_MS, signal, ask);
  }
}

function masterOf(answer: unknown): HostPort | undefined {
  if (!Array.isArray(answer)) return undefined;
  const [host, port]: unknown[] = answer;
  return typeof host === 'string' && typeof port === 'string' ? { host, port: Number(port) } : undefined;
}
