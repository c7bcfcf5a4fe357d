import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../harness/until.ts';
import { type Child, startChild } from './child.ts';
import { type Network, SIP_PORT } from './network.ts';
import { readSipDump, type SipMessage } from './sip-message.ts';

/** How Kamailio asks: with a blocking client in processes of their own, or with one that does not block. */
export type Variant = 'http_client' | 'http_async_client';

/** How a Kamailio is to run with the configuration of integrations/kamailio. */
export interface KamailioOptions {
  readonly network: Network;
  /** An empty folder of its own. */
  readonly folder: string;
  readonly variant: Variant;
  /** Processes that ask, in the first of the two variants. */
  readonly workers: number;
  /** Passwords by account. */
  readonly passwords: ReadonlyMap<number, string>;
  /** Instances of the service, in the order in which they are asked. */
  readonly services: readonly string[];
  /** More defines, as they stand behind -A. */
  readonly defines: readonly string[];
  /** A folder with modules beside Debian's. */
  readonly modules: string | undefined;
}

/** Kamailio as the proxy and registrar of the run. */
export interface Kamailio {
  /** What it logged so far. */
  log(): string;
  /** The SIP messages that it has received and sent so far, in order. */
  messages(): readonly SipMessage[];
  close(): Promise<void>;
}

/** The domain of all accounts. */
export const SIP_DOMAIN = 'sip.example.org';
const CONFIGURATION = 'integrations/kamailio/kamailio.cfg';

/** Starts Kamailio and waits until it answers SIP. Rejects with its log when it ends instead. */
export async function startKamailio(options: KamailioOptions): Promise<Kamailio> {
  const { folder, network } = options;
  await Promise.all(['db', 'run', 'trace'].map((name) => mkdir(join(folder, name))));
  await writeTables(join(folder, 'db'), options.passwords);
  const child = startChild('kamailio', argumentsOf(options), { cwd: folder });
  const answers = async () => {
    if (!child.runs()) throw new Error(`Kamailio ended while it started:\n${child.output()}`);
    return isAlive(network);
  };
  try {
    await until(answers, 'Kamailio answers');
  } catch (error) {
    await child.end('SIGKILL');
    throw error;
  }
  return {
    log: child.output,
    messages: () => readTrace(join(folder, 'trace')),
    close: () => endKamailio(child),
  };
}

function endKamailio(child: Child): Promise<void> {
  return child.end('SIGTERM');
}

function argumentsOf({ folder, network, variant, workers, services, defines, modules }: KamailioOptions) {
  const [first, second] = services;
  const settings = [
    `LISTEN=udp:${network.proxy}:${SIP_PORT}`,
    `SIP_DOMAIN="${SIP_DOMAIN}"`,
    `PBX_NET="${network.caller}/32"`,
    'DB_MODULE="db_text.so"',
    `DB_URL="text://${join(folder, 'db')}"`,
    'SIP_WORKERS=2',
    'WITH_TRACE',
    `TRACE_FOLDER="${join(folder, 'trace')}"`,
    `WAKE_URL="${first ?? ''}"`,
    `WAKE_WORKERS="name=default;workers=${workers};nonblock=1;usleep=0"`,
    ...(second === undefined ? [] : [`WAKE_URL_2="${second}"`]),
    ...(variant === 'http_async_client' ? ['WITH_HTTP_ASYNC_CLIENT'] : []),
    ...defines,
  ];
  return [
    ...['-DD', '-E', '-f', join(process.cwd(), CONFIGURATION)],
    ...['-w', folder, '-Y', join(folder, 'run'), '-P', join(folder, 'run', 'pid'), '-m', '64', '-M', '8'],
    ...(modules === undefined ? [] : ['-L', `${modulesFolder() ?? ''}:${modules}`]),
    ...settings.flatMap((define) => ['-A', define]),
  ];
}

/** Where Debian's packages put Kamailio's modules; undefined where there are none. */
export function modulesFolder(): string | undefined {
  return globSync('/usr/{lib/*,lib,lib64,local/lib,local/lib64}/kamailio/modules').find((folder) =>
    existsSync(join(folder, 'tm.so')),
  );
}

/** Tables of Kamailio's db_text, as its kamdbctl makes them. */
async function writeTables(folder: string, passwords: ReadonlyMap<number, string>): Promise<void> {
  const rows = [...passwords].map(
    ([account, password], index) => `${index + 1}:${account}:${SIP_DOMAIN}:${password}\n`,
  );
  await writeFile(join(folder, 'version'), 'table_name(string) table_version(int)\nsubscriber:7\n');
  await writeFile(
    join(folder, 'subscriber'),
    `id(int) username(string) domain(string) password(string)\n${rows.join('')}`,
  );
}

/** Whether it answers an OPTIONS within a moment. */
async function isAlive(network: Network): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(0, network.caller);
    await once(socket, 'listening');
    const { port } = socket.address();
    const question = [
      `OPTIONS sip:${SIP_DOMAIN} SIP/2.0`,
      `Via: SIP/2.0/UDP ${network.caller}:${port};branch=z9hG4bK-${port}`,
      `From: <sip:alive@${network.caller}>;tag=${port}`,
      `To: <sip:${SIP_DOMAIN}>`,
      `Call-ID: alive-${port}`,
      'CSeq: 1 OPTIONS',
      'Max-Forwards: 70',
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n');
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(100) });
    socket.send(question, SIP_PORT, network.proxy);
    const [message] = await answered;
    return String(message).startsWith('SIP/2.0 200');
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

function readTrace(folder: string): readonly SipMessage[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.data'));
  return files.sort().flatMap((name) => readSipDump(readFileSync(join(folder, name), 'utf8')));
}
