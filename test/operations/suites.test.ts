import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';

const run = promisify(execFile);

const SUITES = {
  'scripts/run-tests.ts': 'npm run tests',
  'scripts/test-faults.ts': 'npm run test:faults',
  'scripts/test-e2e.ts': 'npm run test:e2e',
  'scripts/test-proxies.ts': 'npm run test:proxies',
  'scripts/test-mutation.ts': 'npm run test:mutation',
  'bench/main.ts': 'npm run bench',
} as const;

const SKIPPED_SUITE = `import { describe, it } from 'node:test';
it('passes', () => {});
describe('a suite', { skip: 'nginx is not installed' }, () => {
  it('one', () => {});
  it('another', () => {});
});`;

describe('test suites and the bench', () => {
  for (const [script, command] of Object.entries(SUITES)) {
    it(`${command} explains its options and refuses others`, async () => {
      const { stdout } = await run(process.execPath, [script, '--help']);
      assert.ok(stdout.startsWith(`Usage: ${command} -- [options]`), stdout);
      await assert.rejects(run(process.execPath, [script, '--nope']), /unknown option '--nope'/);
    });
  }

  it('npm run tests counts a suite that is skipped as a whole, and says why', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-suite-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'one.test.mjs');
    await writeFile(file, SKIPPED_SUITE);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const args = ['scripts/run-tests.ts', relative(process.cwd(), file)];
    const { stdout } = await run(process.execPath, args, { env });
    assert.match(stdout, /^1 passed, 0 failed, 1 skipped.*\nSkipped: nginx is not installed$/m);
  });

  const skip = skipWithout('Redis');
  it('a fault suite that is killed leaves no process behind', { skip }, (t) =>
    leavesNothing(
      t,
      ['scripts/test-faults.ts', '--only', 'Redis', '--in-flight', '10'],
      'redis-server',
      'SIGKILL',
    ),
  );

  it('a fault suite that is interrupted leaves no process behind', { skip }, (t) =>
    leavesNothing(
      t,
      ['scripts/test-faults.ts', '--only', 'Redis', '--in-flight', '10'],
      'redis-server',
      'SIGTERM',
    ),
  );

  it('a bench that is killed leaves no process behind', (t) =>
    leavesNothing(t, ['bench/main.ts', '--quick', '--scenario', 'registrations'], 'src/main.ts', 'SIGKILL'));

  it('tests that are interrupted leave no process behind', { skip }, (t) =>
    leavesNothing(t, ['scripts/run-tests.ts', 'test/redis/single.test.ts'], 'redis-server', 'SIGTERM'),
  );
});

/** Runs a suite until `program` is among its processes, ends it, and waits until none of them is left. */
async function leavesNothing(
  t: { after(end: () => void): void },
  args: readonly string[],
  program: string,
  signal: NodeJS.Signals,
): Promise<void> {
  // Its processes are of its session, whoever their parent is by then.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const suite = spawn(process.execPath, args, { detached: true, stdio: 'ignore', env });
  const { pid = 0 } = suite;
  t.after(() => {
    for (const left of commandsOf(pid).keys()) process.kill(left, 'SIGKILL');
  });
  const exited = once(suite, 'exit');
  // setpriv(1) has the program in its own arguments until it becomes the program.
  const runs = (command: string): boolean => command.includes(program) && !command.includes('setpriv');
  await until(() => [...commandsOf(pid).values()].some(runs), `${program} runs`);
  suite.kill(signal);
  await exited;
  await until(() => commandsOf(pid).size === 0, 'no process is left');
}

/** The processes of a session, by their command lines. */
function commandsOf(session: number): ReadonlyMap<number, string> {
  const commands = new Map<number, string>();
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // State, parent, group and session follow the name (proc_pid_stat(5)).
      const [state, , , its] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(its) === session && state !== 'Z')
        commands.set(pid, readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // It ended while it was looked at.
    }
  }
  return commands;
}
