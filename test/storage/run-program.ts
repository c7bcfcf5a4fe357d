import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { owned } from '../../harness/owned.ts';

/** A child process of this runtime that runs a few lines of module code. */
export interface Program {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** The next line that it prints; rejects when it ends without one. */
  line(): Promise<string>;
}

/** Starts `code`, in which `src:` stands for the address of the folder `src/`. */
export function runProgram(code: string): Program {
  const src = new URL('../../src/', import.meta.url).href;
  const text = code.replaceAll('src:', src);
  const child = spawn(
    ...owned(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', text]),
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return {
    child,
    line: async () => {
      const next = await lines.next();
      if (next.done === true) throw new Error(`the program ended without a line: ${errors}`);
      return next.value;
    },
  };
}
