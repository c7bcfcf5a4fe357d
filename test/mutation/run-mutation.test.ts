import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { tempFolder } from '../storage/temp-folder.ts';

const SOURCE = `export function isLate(seconds: number): boolean {
  return seconds > 4;
}
export function isEarly(seconds: number): boolean {
  return seconds < 1;
}
`;
const TEST = `import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isLate } from '../../src/calls/late.ts';
it('late', () => assert.equal(isLate(5), true));
it('not late', () => assert.equal(isLate(4), false));
`;

/** A repository with these files, and `npm run test:mutation` in it. */
async function repository(t: TestContext, files: Readonly<Record<string, string>>) {
  const { path, remove } = await tempFolder();
  t.after(remove);
  for (const [file, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  execFileSync('git', ['init', '--quiet'], { cwd: path });
  const temporary = await tempFolder();
  t.after(temporary.remove);
  const start = (...args: readonly string[]) => {
    const child = spawn(process.execPath, [resolve('scripts/test-mutation.ts'), ...args], {
      cwd: path,
      env: { ...process.env, TMPDIR: temporary.path, PIDS_FILE: join(path, 'pids') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    return { child, output: () => output };
  };
  const left = () => readdirSync(temporary.path);
  return { path, start, left };
}

describe('npm run test:mutation', () => {
  it('lists the faults that no test notices, and those that none runs', async (t) => {
    const { start, left, path } = await repository(t, {
      'src/calls/late.ts': SOURCE,
      'test/calls/late.test.ts': TEST,
    });
    const { child, output } = start('calls');
    const [code] = await once(child, 'close');
    assert.equal(code, 0, output());
    const listed = output()
      .split('\n')
      .filter((line) => /^(survived|unreached) /.test(line));
    assert.deepEqual(listed.sort(), [
      'unreached src/calls/late.ts:5:18 boundary: < → <=',
      'unreached src/calls/late.ts:5:3 return value removed: return seconds < 1; → return;',
    ]);
    assert.match(output(), /^\| calls \| 4 \| 2 \| 0 \| 0 \| 2 \| 50 % \|$/m);
    assert.deepEqual(left(), []);
    assert.equal(readFileSync(join(path, 'src/calls/late.ts'), 'utf8'), SOURCE);
  });

  it('names a fault that a test runs and does not notice', async (t) => {
    const weak = TEST.replace('isLate(4)', 'isLate(3)');
    const { start } = await repository(t, { 'src/calls/late.ts': SOURCE, 'test/calls/late.test.ts': weak });
    const { child, output } = start('src/calls/late.ts:2:18');
    await once(child, 'close');
    assert.match(output(), /^survived src\/calls\/late\.ts:2:18 boundary: > → >=$/m);
    assert.match(output(), /^\| calls \| 1 \| 0 \|/m);
  });

  it('sees what processes run that a test starts', async (t) => {
    const { start } = await repository(t, {
      'src/calls/late.ts': `${SOURCE}process.exitCode = isLate(Number(process.argv[2])) ? 3 : 0;\n`,
      'test/calls/late.test.ts': `import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
const late = (seconds: string) =>
  spawnSync(process.execPath, ['src/calls/late.ts', seconds], { env: {} }).status === 3;
it('late', () => assert.deepEqual([late('4'), late('5')], [false, true]));
`,
    });
    const { child, output } = start('calls');
    await once(child, 'close');
    assert.doesNotMatch(output(), /(survived|unreached) src\/calls\/late\.ts:2:/);
    assert.match(output(), /unreached src\/calls\/late\.ts:5:/);
  });

  it('ends the tests and what they started when it is interrupted, and removes its copies', async (t) => {
    const endless = `import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import '../../src/calls/late.ts';
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
writeFileSync(process.env['PIDS_FILE'] ?? '', child.pid + ' ' + process.pid);
`;
    const { start, left, path } = await repository(t, {
      'src/calls/late.ts': SOURCE,
      'test/calls/late.test.ts': endless,
    });
    const pids = join(path, 'pids');
    const { child, output } = start('calls', '--lanes', '1');
    t.after(() => child.kill('SIGKILL'));
    const closed = once(child, 'close');
    await until(() => existsSync(pids), 'the test runs');
    const running = readFileSync(pids, 'utf8').split(' ').map(Number);
    assert.equal(running.filter(isRunning).length, 2);
    child.kill('SIGINT');
    assert.deepEqual(await closed, [1, null], output());
    await until(() => !running.some(isRunning), 'nothing runs any more');
    assert.deepEqual(left(), []);
  });

  it('refuses a place that is none', async (t) => {
    const { start } = await repository(t, {});
    for (const place of ['kalls', 'src/calls', 'test/calls']) {
      const { child, output } = start(place);
      const [code] = await once(child, 'close');
      assert.equal(code, 1);
      assert.match(output(), /neither an area nor a file or folder below src\//);
    }
  });
});

/** Whether the process is there and no zombie. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
