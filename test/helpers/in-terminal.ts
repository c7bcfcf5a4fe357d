import { execFile } from 'node:child_process';
import { COMPILE_CACHE } from './compile-cache.ts';

/** `skip` for tests that need a terminal: `script` of util-linux makes one. */
export const SKIP_WITHOUT_TERMINAL = process.platform === 'linux' ? false : 'needs script of util-linux';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
const LIMIT_MS = 60_000;

/** Runs a command of the command line in a terminal; resolves with all that it wrote there, rejects if it fails. */
export function inTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<string> {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, ...args];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile(
    'script',
    ['--quiet', '--return', '--command', command.map((word) => `'${word}'`).join(' '), '/dev/null'],
    {
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...COMPILE_CACHE, ...env },
      cwd,
      timeout: LIMIT_MS,
    },
    (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
  );
  return promise;
}
