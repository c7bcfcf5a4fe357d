import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { owned } from '../../harness/owned.ts';
import { inTerminal, SKIP_WITHOUT_TERMINAL } from '../helpers/in-terminal.ts';
import { createCli } from './cli-fixture.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
const ESCAPE = '\u001b[';
const LAST_WORDS = /Two phones were woken, one could not be/;

describe('demo', () => {
  it('two phones ring, one does not and the reader learns why; each call has a clock of its own', async (t) => {
    const cli = await createCli(t);
    const { code, stdout, stderr } = await cli.run(['demo']);
    assert.deepEqual([code, stderr], [0, '']);
    const calls = stdout.split(/^(?=.*, account \d+)/m).slice(1);
    const heard = calls.map((call) => /the PBX hears (.*)$/m.exec(call)?.[1]);
    assert.deepEqual(heard, ['status=ACK (ready)', 'status=ACK (ready)', 'status=NAK (token-gone)']);
    for (const call of calls) {
      const times = [...call.matchAll(/^ +(\d+) ms {2}/gm)].map(([, ms]) => Number(ms));
      assert.equal(times[0], 0, call);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
        call,
      );
    }
    assert.match(calls[2] ?? '', /It does not ring: .*deleted.*X-Wake-Outcome.*docs\/outcomes\.md/s);
    assert.match(stdout, LAST_WORDS);
    assert.ok(!stdout.includes(ESCAPE), 'no colour in a pipe');
  });

  for (const [how, end] of [
    ['its reader leaves', (child: ChildProcess) => child.stdout?.destroy()],
    ['it is interrupted', (child: ChildProcess) => child.kill('SIGINT')],
  ] as const) {
    it(`leaves no file behind if ${how}`, async (t) => {
      const { folder } = await createCli(t);
      const env = { PATH: process.env['PATH'] ?? '', TMPDIR: folder };
      const child = spawn(...owned(process.execPath, [MAIN, 'demo']), {
        env,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const exited = once(child, 'exit');
      await once(child.stdout, 'data');
      assert.deepEqual(
        (await readdir(folder)).map((name) => name.replace(/[^-]*$/, '')),
        ['vialer-middleware-demo-'],
      );
      end(child);
      await exited;
      assert.deepEqual(await readdir(folder), []);
    });
  }

  it('is in colour on a terminal, unless NO_COLOR is set', { skip: SKIP_WITHOUT_TERMINAL }, async (t) => {
    const { folder } = await createCli(t);
    const [plain, coloured] = await Promise.all([
      inTerminal(['demo'], { NO_COLOR: '1' }, folder),
      inTerminal(['demo'], {}, folder),
    ]);
    for (const text of [plain, coloured]) assert.match(text, LAST_WORDS);
    assert.ok(!plain.includes(ESCAPE));
    assert.ok(coloured.includes(`${ESCAPE}32mstatus=ACK`));
  });
});
