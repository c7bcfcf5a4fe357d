import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { type Program, runProgram } from '../storage/run-program.ts';

const CREATE = `
  import { createLog } from 'src:telemetry/log.ts';
  const logAt = (level, format = 'json') => createLog({ level, format, onDropped: () => {} });
`;

/** Everything that a program writes. */
async function outputOf(code: string): Promise<string> {
  const { child }: Program = runProgram(CREATE + code);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  return text;
}

async function linesOf(code: string): Promise<Readonly<Record<string, unknown>>[]> {
  return (await outputOf(code))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('the log of a process', () => {
  it('has a line for each event of its level and above, in order', async () => {
    for (const [level, levels] of [
      ['debug', ['debug', 'info', 'warn', 'error', 'error']],
      ['warn', ['warn', 'error', 'error']],
      ['error', ['error', 'error']],
    ] as const) {
      const lines = await linesOf(`
        const log = logAt('${level}');
        for (const each of ['debug', 'info', 'warn', 'error']) {
          if (log.isOn(each) !== ${JSON.stringify(levels)}.includes(each)) log.write('error', 'isOn is wrong', {});
          log.write(each, 'it happened', { call: each });
        }
        log.writeError('it failed', new Error('x'), {});
        await log.flush();
      `);
      assert.deepEqual(
        lines.map((line) => line['level']),
        levels,
      );
      assert.deepEqual(Object.keys(lines[0] ?? {}), ['level', 'time', 'call', 'msg']);
    }
  });

  it('says when each happened, not when its line was made', async () => {
    const [first, second] = await linesOf(`
      const log = logAt('info');
      const before = Date.now();
      log.write('info', String(Date.now()), {});
      while (Date.now() < before + 30);
      log.write('info', String(Date.now()), {});
      await log.flush();
    `);
    for (const line of [first, second]) {
      const off = Math.abs(Date.parse(String(line?.['time'])) - Number(line?.['msg']));
      assert.ok(off <= 10, `${off} ms off`);
    }
  });

  it('holds what was written last, however its process ends', async () => {
    // Threads that are busy begin no other write before the end.
    const keepThreadsBusy = `
      import { pbkdf2 } from 'node:crypto';
      process.prependOnceListener('exit', () => {
        for (let thread = 0; thread < 8; thread += 1) pbkdf2('a', 'b', 100_000, 64, 'sha512', () => {});
      });
    `;
    for (const end of ['process.exit(0)', 'setImmediate(() => { throw new Error("a bug") })', '0']) {
      const lines = await linesOf(`
        logAt('info').write('info', 'the last word', {});
        ${keepThreadsBusy}
        ${end}
      `);
      assert.deepEqual(
        lines.map(({ msg }) => msg),
        ['the last word'],
        end,
      );
    }
  });

  it('is written out before its last word is given, however many lines wait', async () => {
    const lines = await linesOf(`
      const log = logAt('info');
      // Each of them is a write of its own.
      for (let line = 0; line < 100; line += 1) log.write('error', String(line), {});
      log.write('info', '100', {});
      await log.flush();
      process.exit();
    `);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      Array.from({ length: 101 }, (_, line) => String(line)),
    );
  });

  it('is for people where it is pretty: no line of JSON, and no secrets', async () => {
    const text = await outputOf(`
      const log = logAt('info', 'pretty');
      log.write('warn', 'it happened', { token: 'letmein', call: 'key' });
      log.writeError('it failed', new Error('why'), { call: 'key' });
      await log.flush();
    `);
    assert.match(
      text,
      /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: it happened \{"token":"sha256:\w+","call":"key"\}$/m,
    );
    assert.match(text, /^\S+ ERROR: it failed \{"call":"key"\}\n +error: "Error: why"\n +stack: " +at /m);
    assert.doesNotMatch(text, /letmein/);
  });

  it('an error is written at once, after the lines that wait', async (t) => {
    const { child, line } = runProgram(`${CREATE}
      const log = logAt('info');
      log.write('info', 'first', {});
      log.write('error', 'second', {});
      // Nothing else runs in this process from here on.
      while (true);
    `);
    t.after(() => child.kill('SIGKILL'));
    assert.match(await line(), /"msg":"first"/);
    assert.match(await line(), /"msg":"second"/);
  });
});
