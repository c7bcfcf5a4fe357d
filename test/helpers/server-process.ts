import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who runs a server: they refuse to run as root. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

/** The unprivileged user that the server's package made; the present user where that is not root. */
export const unprivileged = (user: string): RunAs => {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
};

/** A port of 127.0.0.1 that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** A folder that belongs to who runs the server. */
export const serverFolder = async ({ uid, gid }: RunAs): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-server-'));
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  return folder;
};

/** Removes a server's folder; what a dying process of it still writes is waited for. */
export const removeFolder = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);

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

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  start(): void {
    const child = spawn(this.#program, this.#args, { ...this.#as, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
      });
    }
    this.#child = child;
  }

  /** Stops all its processes where they are, as a machine that hangs does; `resume` lets them go on. */
  pause(): void {
    this.#signalAll('SIGSTOP');
  }

  resume(): void {
    this.#signalAll('SIGCONT');
  }

  /** Ends it with a signal and waits until it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.runs) return;
    const exited = once(child, 'exit');
    this.#signalAll('SIGCONT');
    child.kill(signal);
    await exited;
  }

  #signalAll(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.runs) return;
    process.kill(pid, signal);
    for (const child of childrenOf(pid)) {
      try {
        process.kill(child, signal);
      } catch {
        // It ended by itself since the list was made.
      }
    }
  }
}
