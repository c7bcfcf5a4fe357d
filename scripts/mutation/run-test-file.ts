import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { owned } from '../../harness/owned.ts';
import type { Lane } from './sandbox.ts';

/** What a test file says of the sources in its lane. `stopped`: the run was interrupted. */
export type Verdict = 'passed' | 'failed' | 'timed-out' | 'stopped';

export interface TestRunOptions {
  readonly limitMs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Whether the first test that fails ends it; otherwise only its end does. */
  readonly endAtFailure: boolean;
}

/** A line of TAP for a test that failed and should not have. */
const FAILED = /^\s*not ok (?!.*# (TODO|SKIP))/;

/** Runs one test file in a process group of its own, and ends the whole group: servers that it started go with it. */
export async function runTestFile(file: string, lane: Lane, options: TestRunOptions): Promise<Verdict> {
  if (options.signal.aborted) return 'stopped';
  const child = spawn(
    ...owned(process.execPath, ['--disable-warning=ExperimentalWarning', '--test-reporter=tap', file]),
    {
      cwd: lane.folder,
      // Where Node's runner runs this program, its tests are not to answer to that one.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, TMPDIR: lane.temporary, ...options.env },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    },
  );
  let verdict: Verdict | undefined;
  const end = (because: Verdict): void => {
    verdict ??= because;
    endGroup(child.pid);
  };
  const timer = setTimeout(end, options.limitMs, 'timed-out');
  const stop = () => end('stopped');
  options.signal.addEventListener('abort', stop);
  createInterface(child.stdout).on('line', (line) => {
    if (options.endAtFailure && FAILED.test(line)) end('failed');
  });
  const [code] = await once(child, 'exit');
  clearTimeout(timer);
  options.signal.removeEventListener('abort', stop);
  endGroup(child.pid);
  await rm(lane.temporary, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  await mkdir(lane.temporary);
  return verdict ?? (code === 0 ? 'passed' : 'failed');
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // All of it has ended by itself.
  }
}
