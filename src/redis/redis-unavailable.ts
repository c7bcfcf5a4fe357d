const EXPLANATION = {
  busy: 'Redis is busy with a script that does not end',
  closed: 'the link to Redis was closed',
  'cluster-down': 'the Redis Cluster does not serve this key for now',
  'cluster-server': 'this server belongs to a Redis Cluster; set REDIS_SERVER_LIST instead of REDIS_URL',
  'connection-lost': 'the connection to Redis broke',
  connecting: 'there is no connection to this Redis server yet',
  loading: 'Redis is still loading its data',
  'login-refused': 'Redis refuses the user or the password',
  'no-cluster': 'this server belongs to no Redis Cluster; set REDIS_URL instead of REDIS_SERVER_LIST',
  'no-database': 'Redis has no database of this number',
  'no-master': 'no Sentinel names the master',
  'not-permitted': 'the ACL user of this service lacks a right in Redis that calls need',
  'out-of-memory': 'Redis is out of memory',
  overloaded: 'too many commands to Redis are in flight',
  refused: 'Redis, or a proxy before it, refuses a command that calls need',
  'read-only': 'this Redis server is a replica, or cannot write for now',
  'sentinel-refused': 'a Sentinel refuses the user or the password; set REDIS_SENTINEL_PASSWORD',
  'too-many-clients': 'Redis takes no more connections; raise its maxclients',
  'tls-mismatch':
    'the server accepts the connection and does not answer on it: rediss:// in REDIS_URL (or REDIS_TLS=on) is for a server with TLS, redis:// for one without',
  timeout: 'Redis did not answer in time',
  unreachable: 'the Redis server cannot be reached',
  untrusted: 'Redis offers no encrypted connection that can be trusted; look at REDIS_CA_FILE',
} as const;

/** Why Redis could not do what it was asked: a passing or an operator's matter, never a caller's. */
export type RedisFault = keyof typeof EXPLANATION;

/** A fault, and the words of the server that reported it, if one did: at most 200 characters that quote no argument. */
export interface RedisTrouble {
  readonly fault: RedisFault;
  readonly said?: string | undefined;
}

/** For a person: what is wrong, and what Redis said, without a full stop. */
export function describeTrouble({ fault, said }: RedisTrouble): string {
  return said === undefined
    ? EXPLANATION[fault]
    : `${EXPLANATION[fault]}; it says: ${said.replace(/\.$/, '')}`;
}

/**
 * Redis could not answer. The command may nevertheless have been carried out, or still be, unless the fault is
 * `connecting`, `overloaded` or an answer of the server's own. Holds nothing of the command or the address.
 */
export class RedisUnavailable extends Error implements RedisTrouble {
  override readonly name = 'RedisUnavailable';
  readonly fault: RedisFault;
  readonly said: string | undefined;

  constructor(
    fault: RedisFault,
    { said, ...options }: { readonly cause?: unknown; readonly said?: string } = {},
  ) {
    super(`Redis unavailable: ${describeTrouble({ fault, said })}`, options);
    this.fault = fault;
    this.said = said;
  }
}
