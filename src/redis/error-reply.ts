import type { HostPort } from './redis-address.ts';
import { type RedisFault, type RedisTrouble, RedisUnavailable } from './redis-unavailable.ts';

/** Error codes of https://github.com/redis/redis/blob/7.0/src/server.c (createSharedObjects) and cluster.c that tell of the server, not of the command. */
const FAULTS: Readonly<Record<string, RedisFault>> = {
  BUSY: 'busy',
  CLUSTERDOWN: 'cluster-down',
  DENIED: 'refused',
  LOADING: 'loading',
  MASTERDOWN: 'read-only',
  MISCONF: 'read-only',
  MOVED: 'cluster-server',
  NOAUTH: 'login-refused',
  NOPERM: 'not-permitted',
  NOREPLICAS: 'read-only',
  OOM: 'out-of-memory',
  READONLY: 'read-only',
  TRYAGAIN: 'cluster-down',
  WRONGPASS: 'login-refused',
};

const MOST_TEXT = 200;

/** What a server, or a Cluster, with too many connections says to a new one, whatever it is asked. */
const TOO_MANY_CLIENTS = /^ERR max number of clients/i;

/** A script that the user may run and that calls a command that the user may not; in Redis 6 and in Redis 7. */
const ACL_IN_SCRIPT = /ACL failure in script|can't run this command/i;

/** Redis answered with an error. The text is Redis' own, cut; where it could quote arguments it is left out. */
export class ErrorReply extends Error {
  override readonly name = 'ErrorReply';
  /** What Redis said, at most 200 characters. */
  readonly said: string;
  /** The first word, such as `MOVED`. */
  readonly code: string;
  readonly fault: RedisFault | undefined;
  readonly unknownCommand: boolean;
  /** Where a Cluster says that the key is; an empty host is that of the server that said so. */
  readonly redirect: { readonly kind: 'MOVED' | 'ASK'; readonly server: HostPort } | undefined;

  constructor(text: string) {
    const said = /^ERR unknown/i.test(text)
      ? text.slice(0, MOST_TEXT).split(', with args')[0]
      : text.slice(0, MOST_TEXT);
    super(`Redis answered: ${said}`);
    this.said = said ?? '';
    this.code = /^-?([A-Z]+)/.exec(text)?.[1] ?? 'ERR';
    this.fault =
      FAULTS[this.code] ??
      FAULTS[nestedCode(text)] ??
      (TOO_MANY_CLIENTS.test(text) ? 'too-many-clients' : undefined) ??
      (ACL_IN_SCRIPT.test(text) ? 'not-permitted' : undefined);
    this.unknownCommand = /^ERR unknown command/i.test(text);
    this.redirect = redirectIn(text);
  }
}

/** https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding */
function redirectIn(text: string): ErrorReply['redirect'] {
  const [, kind, host = '', port] = /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(text) ?? [];
  if (kind !== 'MOVED' && kind !== 'ASK') return undefined;
  return { kind, server: { host: host === '?' ? '' : host, port: Number(port) } };
}

/** Before Redis 7 a script that fails in a command tells that command's error behind its own place. */
function nestedCode(text: string): string {
  return /@user_script: ?\d+: -?([A-Z]{3,}) /.exec(text)?.[1] ?? '';
}

/** The fault that an error of a command stands for; undefined where the command itself was wrong. */
export function faultOf(error: unknown): RedisFault | undefined {
  return error instanceof RedisUnavailable || error instanceof ErrorReply ? error.fault : undefined;
}

/** The fault that an error of a command stands for, with the words of Redis; what Redis refuses for another reason is `refused`. */
export function troubleOf(error: unknown): RedisTrouble | undefined {
  if (error instanceof ErrorReply) return { fault: error.fault ?? 'refused', said: error.said };
  return error instanceof RedisUnavailable ? error : undefined;
}

/** What a caller is to see: `RedisUnavailable` where that is meant, else the error itself. */
export function asUnavailable(error: unknown): unknown {
  return error instanceof ErrorReply && error.fault !== undefined
    ? new RedisUnavailable(error.fault, { cause: error, said: error.said })
    : error;
}
