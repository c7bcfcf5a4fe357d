import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { requireServer } from '../../harness/find-server.ts';
import {
  freePort,
  type RunAs,
  removeFolder,
  ServerProcess,
  serverFolder,
  unprivileged,
} from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';

/** How a forward proxy is to run. */
export interface ForwardProxyOptions {
  /** Basic credentials that it asks for. */
  readonly login?: { readonly user: string; readonly password: string };
  /** `host:port` pairs that it lets nobody reach. */
  readonly refused?: readonly string[];
}

/** A real forward proxy on a free port of 127.0.0.1, without any state. */
export interface RealProxy {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The same with credentials. */
  urlFor(user: string, password: string): string;
  /** Tunnels that it was asked for, as `host:port`, since it was started last. */
  asked(): readonly string[];
  /** SIGSTOP: connections to it are made and not served. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it at once, with all its tunnels, as `kill -9` does. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

interface Program {
  readonly kind: 'tinyproxy' | 'squid';
  readonly args: (config: string) => readonly string[];
  readonly as: () => RunAs;
  readonly config: (
    place: { readonly port: number; readonly folder: string },
    options: ForwardProxyOptions,
  ) => string;
  /** The `host:port` of a CONNECT in its log. */
  readonly logged: RegExp;
}

const TINYPROXY: Program = {
  kind: 'tinyproxy',
  args: (config) => ['-d', '-c', config],
  as: () => ({}),
  config: ({ port, folder }, { login, refused = [] }) =>
    [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Timeout 600',
      `LogFile "${join(folder, 'log')}"`,
      'LogLevel Connect',
      ...(login === undefined ? [] : [`BasicAuth ${login.user} ${login.password}`]),
      ...(refused.length === 0 ? [] : [`Filter "${join(folder, 'filter')}"`, 'FilterURLs On']),
      '',
    ].join('\n'),
  logged: /Request \(file descriptor \d+\): CONNECT (\S+) /g,
};

const SQUID: Program = {
  kind: 'squid',
  args: (config) => ['-N', '-f', config],
  as: () => unprivileged('proxy'),
  config: ({ port, folder }, { login, refused = [] }) =>
    [
      `http_port 127.0.0.1:${port}`,
      'pid_filename none',
      'cache deny all',
      'shutdown_lifetime 0 seconds',
      `coredump_dir ${folder}`,
      `cache_log ${join(folder, 'cache.log')}`,
      `logformat asked CONNECT %ru`,
      `access_log stdio:${join(folder, 'log')} asked`,
      'buffered_logs off',
      ...refused.map((each) => `acl refused port ${each.slice(each.lastIndexOf(':') + 1)}`),
      ...(refused.length === 0 ? [] : ['http_access deny refused']),
      ...(login === undefined
        ? ['http_access allow localhost']
        : [
            `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${join(folder, 'users')}`,
            'auth_param basic children 1',
            'auth_param basic realm proxy',
            'acl known proxy_auth REQUIRED',
            'http_access allow known',
          ]),
      'http_access deny all',
      '',
    ].join('\n'),
  logged: /^CONNECT (\S+)$/gm,
};

/** Starts tinyproxy, which ends with the test. */
export function startTinyproxy(t: Pick<TestContext, 'after'>, options: ForwardProxyOptions = {}) {
  return startProxy(t, TINYPROXY, options);
}

/** Starts squid, which ends with the test. */
export function startSquid(t: Pick<TestContext, 'after'>, options: ForwardProxyOptions = {}) {
  return startProxy(t, SQUID, options);
}

async function startProxy(
  t: Pick<TestContext, 'after'>,
  program: Program,
  options: ForwardProxyOptions,
): Promise<RealProxy> {
  const as = program.as();
  const folder = await serverFolder(as);
  const port = await freePort();
  const config = join(folder, 'proxy.conf');
  const { login, refused = [] } = options;
  await writeFile(config, program.config({ port, folder }, options));
  await writeFile(
    join(folder, 'filter'),
    refused.map((each) => `^${each.replaceAll('.', '\\.')}$\n`).join(''),
  );
  if (login !== undefined) {
    const hash = execFileSync('openssl', ['passwd', '-apr1', login.password], { encoding: 'utf8' });
    await writeFile(join(folder, 'users'), `${login.user}:${hash}`);
  }
  const process = new ServerProcess(
    join(requireServer(program.kind), program.kind),
    program.args(config),
    as,
  );
  t.after(async () => {
    await process.end('SIGKILL');
    await removeFolder(folder);
  });
  const log = join(folder, 'log');
  let logRead = 0;
  const logText = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  const start = async (): Promise<void> => {
    logRead = logText().length;
    process.start();
    await until(() => {
      if (!process.runs) throw new Error(`${program.kind} has ended: ${process.output}`);
      return listens(port);
    }, `${program.kind} listens`);
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    urlFor: (user, password) =>
      `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}`,
    asked: () => [...logText().slice(logRead).matchAll(program.logged)].map((match) => match[1] ?? ''),
    pause: () => process.pause(),
    resume: () => process.resume(),
    kill: () => process.end('SIGKILL'),
    start,
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}
