import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ServerProcess } from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import type { IssuedCertificate } from '../../src/sandbox/certificates.ts';

/** A proxy and how its snippet in docs/deployment.md becomes a whole configuration. */
export interface ReverseProxy {
  readonly name: 'nginx' | 'haproxy' | 'caddy' | 'apache';
  readonly program: string;
  /** Whether it closes its connection to the service when its client does. */
  readonly passesHangUps: boolean;
  readonly configure: (snippet: string, folder: string) => string;
  readonly args: (file: string, folder: string) => readonly string[];
}

const APACHE_MODULES = ['mpm_event', 'authz_core', 'socache_shmcb', 'ssl', 'headers', 'proxy', 'proxy_http'];

export const REVERSE_PROXIES: readonly ReverseProxy[] = [
  {
    name: 'nginx',
    program: '/usr/sbin/nginx',
    passesHangUps: true,
    configure: (snippet, folder) => `pid ${folder}/pid;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
${snippet}}
`,
    args: (file, folder) => ['-e', join(folder, 'error.log'), '-c', file, '-g', 'daemon off;'],
  },
  {
    name: 'haproxy',
    program: '/usr/sbin/haproxy',
    passesHangUps: true,
    configure: (snippet) => snippet,
    args: (file) => ['-db', '-f', file],
  },
  {
    name: 'caddy',
    program: '/usr/bin/caddy',
    passesHangUps: true,
    configure: (snippet, folder) => `{
  admin off
  auto_https disable_redirects
  storage file_system ${folder}/storage
}
${snippet}`,
    args: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
  },
  {
    name: 'apache',
    program: '/usr/sbin/apache2',
    passesHangUps: false,
    configure: (snippet, folder) => `${APACHE_MODULES.map(
      (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
    ).join('\n')}
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/pid
Mutex file:${folder}
ErrorLog ${folder}/error.log
Listen 443
${snippet}`,
    args: (file) => ['-DFOREGROUND', '-f', file],
  },
];

const DOCUMENT = new URL('../../docs/deployment.md', import.meta.url);
const NAME = 'push.example.org';

/** Why a proxy cannot be tried; false where it can. */
export function skipWithoutProxy({ name, program }: ReverseProxy): string | false {
  return existsSync(program) ? false : `${name} is not installed: scripts/install-proxies.sh, as root`;
}

/** The documented snippet, with nothing changed but where the proxy listens, its files and where the service is. */
function snippetOf(
  name: string,
  place: { readonly port: number; readonly service: string; readonly folder: string },
) {
  const snippet = new RegExp(`\`\`\`${name}\\n([^]*?)\`\`\``).exec(readFileSync(DOCUMENT, 'utf8'))?.[1];
  if (snippet === undefined) throw new Error(`docs/deployment.md has no snippet for ${name}`);
  return snippet
    .replaceAll('/etc/ssl/push', place.folder)
    .replaceAll('127.0.0.1:8080', place.service)
    .replace(/(listen |bind :|\*:)443/, `$1${place.port}`)
    .replace(new RegExp(`^${NAME} \\{`, 'm'), `https://127.0.0.1:${place.port} {`);
}

/** Starts a proxy with its documented snippet and waits until it listens; `close` ends it. */
export async function startReverseProxy(
  proxy: ReverseProxy,
  place: { readonly port: number; readonly service: string; readonly folder: string },
  certificate: IssuedCertificate,
): Promise<{ close(): Promise<void> }> {
  const { folder, port } = place;
  await mkdir(folder, { recursive: true });
  const { certificate: chain, privateKey } = certificate;
  await writeFile(join(folder, 'fullchain.pem'), chain);
  await writeFile(join(folder, 'key.pem'), privateKey);
  await writeFile(join(folder, 'fullchain-and-key.pem'), chain + privateKey);
  const file = join(folder, 'proxy.conf');
  const text = proxy
    .configure(snippetOf(proxy.name, place), folder)
    .replace(/^Listen 443$/m, `Listen ${port}`);
  await writeFile(file, text);
  const running = new ServerProcess(proxy.program, proxy.args(file, folder), {});
  running.start();
  await until(() => {
    if (!running.runs) throw new Error(`${proxy.name} ended: ${running.output}`);
    return accepts(port);
  }, `${proxy.name} listens`);
  return { close: () => running.end('SIGTERM') };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
