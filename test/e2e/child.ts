import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { owned } from '../../harness/owned.ts';
import { PROGRAM_PATH } from './program-path.ts';

/** A program that the suite started. */
export interface Child {
  /** What it wrote so far, the last two megabytes. */
  output(): string;
  runs(): boolean;
  /** Types on its keyboard; nothing when it has ended. */
  type(keys: string): void;
  /** Calls the handler when it has written something. */
  onOutput(handler: () => void): void;
  /** Its exit code, or the signal that ended it. Rejects when it could not be started. */
  readonly ended: Promise<number | string>;
  /** Sends a signal and waits until it is gone, 5 s unless told, then kills it; nothing when it is gone already. */
  end(signal: NodeJS.Signals, limitMs?: number): Promise<void>;
}

const KEPT_OUTPUT = 2_000_000;
const END_LIMIT_MS = 5_000;

/** Starts a program. It ends with this process, however that ends. */
export function startChild(
  program: string,
  args: readonly string[],
  {
    cwd,
    env = { ...process.env, PATH: PROGRAM_PATH },
  }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Child {
  const child = spawn(...owned(program, args, 'TERM'), { cwd, env, stdio: 'pipe' });
  const handlers: (() => void)[] = [];
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT);
      for (const handler of handlers) handler();
    });
  }
  // A program that ended reads no keyboard.
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([code, signal]): number | string => code ?? signal);
  const runs = () => child.exitCode === null && child.signalCode === null;
  return {
    output: () => output,
    runs,
    type: (keys) => void child.stdin.write(keys),
    onOutput: (handler) => handlers.push(handler),
    ended,
    end: async (signal, limitMs = END_LIMIT_MS) => {
      if (!runs()) return;
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
      await ended.finally(() => clearTimeout(timer));
    },
  };
}
