import { type RedisServer, startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';

/** A master, its replica, and three Sentinels that watch them. */
export interface RedisSentinels {
  /** `redis+sentinel://…` or `rediss+sentinel://…` with the password. */
  readonly url: string;
  /** PEM of the authority that signed all their certificates; undefined without TLS. */
  readonly ca: string | undefined;
  readonly sentinels: readonly RedisServer[];
  /** The server that the Sentinels name. */
  master(): Promise<RedisServer>;
  close(): Promise<void>;
}

const NAME = 'calls-redis';

/** Starts them all and waits until the Sentinels know each other and the replica. A dead master is replaced after about two seconds. */
export async function startRedisSentinels(
  options: { readonly password?: string; readonly sentinelPassword?: string; readonly tls?: boolean } = {},
): Promise<RedisSentinels> {
  const { password, sentinelPassword } = options;
  const ca = options.tls === true ? createThrowAwayCa() : undefined;
  const started: RedisServer[] = [];
  const start = async (more: Parameters<typeof startRedis>[0]) => {
    const tls = ca === undefined ? {} : { tls: ca };
    const config = ca === undefined ? more?.config : { 'tls-replication': 'yes', ...more?.config };
    const server = await startRedis({ ...more, ...tls, ...(config === undefined ? {} : { config }) });
    started.push(server);
    return server;
  };
  const close = async () => {
    await Promise.all(started.map((server) => server.close()));
  };
  try {
    const login = password === undefined ? {} : { password };
    const auth = password === undefined ? {} : { masterauth: password };
    const first = await start({ ...login, config: auth });
    const replica = await start({ ...login, config: { ...auth, replicaof: `127.0.0.1 ${first.port}` } });
    const sentinels = await Promise.all(
      [1, 2, 3].map(() =>
        start({
          program: 'redis-sentinel',
          ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
          config: {
            'sentinel monitor': `${NAME} 127.0.0.1 ${first.port} 2`,
            'sentinel down-after-milliseconds': `${NAME} 1500`,
            'sentinel failover-timeout': `${NAME} 5000`,
            ...(password === undefined ? {} : { 'sentinel auth-pass': `${NAME} ${password}` }),
            ...(sentinelPassword === undefined ? {} : { 'sentinel sentinel-pass': sentinelPassword }),
          },
        }),
      ),
    );
    // They look every 10 s otherwise, which is long for a test.
    const hurry = ['SENTINEL', 'DEBUG', 'INFO-PERIOD', 500, 'PUBLISH-PERIOD', 500] as const;
    await Promise.all(sentinels.map((sentinel) => sentinel.ask(...hurry)));
    await until(async () => {
      const known = await Promise.all(sentinels.map((sentinel) => knows(sentinel)));
      return known.every((all) => all);
    }, 'the Sentinels know each other and the replica');
    const account = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
    return {
      url: `${ca === undefined ? 'redis' : 'rediss'}+sentinel://${account}${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
      ca: ca?.certificate,
      sentinels,
      master: async () => {
        const address: unknown = await sentinels[0]?.ask('SENTINEL', 'get-master-addr-by-name', NAME);
        const port = Number(Array.isArray(address) ? address[1] : 0);
        const master = [first, replica].find((server) => server.port === port);
        if (master === undefined) throw new Error('the Sentinels name no known master');
        return master;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function knows(sentinel: RedisServer): Promise<boolean> {
  const fields: unknown = await sentinel.ask('SENTINEL', 'MASTER', NAME);
  const field = (name: string) => (Array.isArray(fields) ? String(fields[fields.indexOf(name) + 1]) : '');
  return field('num-slaves') === '1' && field('num-other-sentinels') === '2' && field('flags') === 'master';
}
