import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { owned } from './owned.ts';
import { until } from './until.ts';

/** Who runs a server: they refuse to run as root. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

/** The unprivileged user that the server's package made; the present user where that is not root. */
export function unprivileged(user: string): RunAs {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

const LOWEST_PORT = 10_000;
/** Ports that are tried: nearly all are free. */
const MOST_PORTS = 100;
const PORT_RANGE = '/proc/sys/net/ipv4/ip_local_port_range';

/** The lowest port that the system hands out itself: to connections, and to listeners that ask for any. */
function firstHandedOut(): number {
  if (!existsSync(PORT_RANGE)) return 32_768;
  return Math.max(LOWEST_PORT + 1_000, Number.parseInt(readFileSync(PORT_RANGE, 'utf8'), 10));
}

/**
 * A port of 127.0.0.1 that was free a moment ago, and that the system hands to nobody before its user has it, or while that
 * one is restarted.
 */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < MOST_PORTS; tried += 1) {
    const port = randomInt(LOWEST_PORT, firstHandedOut());
    if (await isFree(port)) return port;
  }
  throw new Error(
    `none of ${MOST_PORTS} ports of 127.0.0.1 from ${LOWEST_PORT} to ${firstHandedOut()} was free`,
  );
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const wasFree = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (wasFree) await new Promise((closed) => server.close(closed));
  return wasFree;
}

/** A folder that belongs to who runs the server. */
export async function serverFolder({ uid, gid }: RunAs): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-server-'));
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  return folder;
}

/** Removes a server's folder; what a dying process of it still writes is waited for. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself since it was looked for.
  }
}

/** Whether none of its threads runs: each gets a signal only when it next has a processor, some milliseconds later on a busy machine. */
function isStopped(pid: number): boolean {
  return threadStates(pid).every((state) => 'TtZX'.includes(state));
}

/** One letter for each (proc_pid_stat(5)). */
function threadStates(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return stat.charAt(stat.lastIndexOf(')') + 2);
    });
  } catch {
    // It, or one of its threads, has ended meanwhile: whoever looks again sees what is left.
    return existsSync(`/proc/${pid}`) ? ['?'] : [];
  }
}

/** A server's process, with those that it started itself. */
export class ServerProcess {
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #as: RunAs;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(program: string, args: readonly string[], as: RunAs) {
    this.#program = program;
    this.#args = args;
    this.#as = as;
  }

  /** What it wrote so far. */
  get output(): string {
    return this.#output;
  }

  /** Its process now; throws while there is none. */
  get pid(): number {
    if (this.#child?.pid === undefined || !this.runs) throw new Error(`${this.#program} does not run`);
    return this.#child.pid;
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  start(): void {
    const child = spawn(...owned(this.#program, this.#args), {
      ...this.#as,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
      });
    }
    this.#child = child;
  }

  /** Stops all its processes where they are, as a machine that hangs does; `resume` lets them go on. */
  async pause(): Promise<void> {
    const { pid } = this;
    signal(pid, 'SIGSTOP');
    await until(() => isStopped(pid), `${this.#program} is stopped`);
    const children = childrenOf(pid);
    for (const child of children) signal(child, 'SIGSTOP');
    await until(() => children.every(isStopped), `what ${this.#program} has started is stopped`);
  }

  resume(): void {
    this.#signalAll('SIGCONT');
  }

  /** Ends it with a signal and waits until it is gone. */
  async end(name: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.runs) return;
    const exited = once(child, 'exit');
    this.#signalAll('SIGCONT');
    child.kill(name);
    await exited;
  }

  #signalAll(name: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.runs) return;
    for (const one of [pid, ...childrenOf(pid)]) signal(one, name);
  }
}
