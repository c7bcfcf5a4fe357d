import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { within } from '../src/lib/within.ts';
import { createThrowAwayCa, type ThrowAwayCa } from '../src/sandbox/certificates.ts';
import { requireServer } from './find-server.ts';
import { freePort, removeFolder, ServerProcess, serverFolder } from './server-process.ts';
import { until } from './until.ts';

type RedisConfig = Readonly<Record<string, string>>;

/** How a Redis server is to run. */
export interface RedisServerOptions {
  /** Of the `default` user. */
  readonly password?: string;
  /** Only encrypted connections, with a certificate for `localhost` and 127.0.0.1 of an authority of its own or of this one. */
  readonly tls?: boolean | ThrowAwayCa;
  /** More of its configuration, such as `{ maxmemory: '1mb' }`; where it is a function, for each port that is tried. */
  readonly config?: RedisConfig | (() => Promise<RedisConfig>);
  readonly program?: 'redis-server' | 'redis-sentinel';
}

/** A Redis server of its own on a free port of 127.0.0.1. */
export interface RedisServer {
  readonly port: number;
  /** Its process now; throws while there is none. */
  readonly pid: number;
  /** Whether its process does. */
  readonly runs: boolean;
  /** `redis://` or `rediss://`, with the password. */
  readonly url: string;
  /** PEM of the authority that signed its certificate; undefined without TLS. */
  readonly ca: string | undefined;
  /** Asks on a connection made for it: for assertions. */
  ask(command: string, ...args: readonly (string | number)[]): Promise<unknown>;
  /** SIGSTOP: its connections stay and are not served. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it at once, as `kill -9` does. */
  kill(): Promise<void>;
  /** Starts it again on its port, with what it had written, and waits until it answers. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Ports that are tried: another program may take one between its being found free and its being used. */
const MOST_PORTS = 5;

/** Starts a server that is empty and keeps what it was told over a `kill` and `start`. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await serverFolder({});
  for (let tried = 1; ; tried += 1) {
    const { server, startOnce } = await prepare(folder, options);
    try {
      await startOnce();
      return server;
    } catch (error) {
      if (tried < MOST_PORTS && !server.runs) continue;
      await server.close();
      throw error;
    }
  }
}

/** A server that is to be started, on a port that is free now. */
async function prepare(folder: string, options: RedisServerOptions) {
  const { password, tls = false, config = async () => ({}), program = 'redis-server' } = options;
  const port = await freePort();
  const { ca, lines } =
    tls === false
      ? { ca: undefined, lines: { port: String(port) } }
      : await tlsConfig(folder, port, tls === true ? createThrowAwayCa() : tls);
  const file = join(folder, 'redis.conf');
  const all = {
    ...lines,
    bind: HOST,
    dir: folder,
    daemonize: 'no',
    ...(program === 'redis-server' ? { save: '""', appendonly: 'yes', appendfsync: 'no' } : {}),
    ...(password === undefined ? {} : { requirepass: password }),
    ...(typeof config === 'function' ? await config() : config),
  };
  const text = Object.entries(all).map(([name, value]) => `${name} ${value}\n`);
  await writeFile(file, text.join(''));
  const process = new ServerProcess(join(requireServer('Redis'), program), [file], {});
  const login = { host: HOST, port, ...(password ? { password } : {}), ...(ca ? { tls: { ca } } : {}) };
  const ask: RedisServer['ask'] = (command, ...args) => askRedis(login, command, args);
  /** Another server may have the port, and answer there until ours gives up. */
  const answers = () =>
    ask('INFO', 'server').then(
      (info) => String(info).includes(`process_id:${process.pid}\r`),
      () => false,
    );
  const startOnce = async () => {
    process.start();
    await until(() => {
      if (!process.runs) throw new Error(`the Redis server has ended: ${process.output}`);
      return answers();
    }, 'the Redis server answers');
  };
  const account = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  const server: RedisServer = {
    port,
    get pid() {
      return process.pid;
    },
    get runs() {
      return process.runs;
    },
    url: `${tls === false ? 'redis' : 'rediss'}://${account}${HOST}:${port}`,
    ca,
    ask,
    pause: () => process.pause(),
    resume: () => process.resume(),
    kill: () => process.end('SIGKILL'),
    start: () =>
      until(() => {
        if (!process.runs) process.start();
        return answers();
      }, 'the Redis server answers'),
    close: async () => {
      await process.end('SIGKILL');
      await removeFolder(folder);
    },
  };
  return { server, startOnce };
}

async function askRedis(
  login: { readonly host: string; readonly port: number },
  command: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  const client = new Redis({
    ...login,
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    disableClientInfo: true,
    commandTimeout: 5_000,
  });
  client.on('error', () => {});
  const ended = new Promise((resolve) => client.once('end', resolve));
  try {
    await client.connect();
    return await client.call(command, [...args]);
  } finally {
    client.disconnect();
    // ioredis does not tell the end of a connection in every state.
    await within(ended, 1_000);
  }
}

async function tlsConfig(folder: string, port: number, ca: ThrowAwayCa) {
  const [server, client] = [ca.issueServer(), ca.issueClient({ commonName: 'redis' })];
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  return {
    ca: ca.certificate,
    lines: {
      port: '0',
      'tls-port': String(port),
      'tls-cert-file': await file('cert.pem', server.certificate),
      'tls-key-file': await file('key.pem', server.privateKey),
      // Servers of a Cluster demand a client's certificate of each other.
      'tls-client-cert-file': await file('client-cert.pem', client.certificate),
      'tls-client-key-file': await file('client-key.pem', client.privateKey),
      'tls-ca-cert-file': await file('ca.pem', ca.certificate),
      'tls-auth-clients': 'no',
    },
  };
}
