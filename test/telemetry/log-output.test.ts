import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { owned } from '../../harness/owned.ts';
import { until } from '../../harness/until.ts';
import { LogOutput } from '../../src/telemetry/log-output.ts';
import { SKIP_WITHOUT_TERMINAL } from '../helpers/in-terminal.ts';

/** A pipe whose writer never waits: what the service makes of its standard output. */
function openPipe(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'vialer-middleware-pipe-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  let reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  t.after(() => {
    closeSync(reader);
    closeSync(writer);
    rmSync(folder, { recursive: true });
  });
  /** The reader goes; what it returns brings another one. */
  const leave = (): (() => void) => {
    closeSync(reader);
    return () => {
      reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    };
  };
  // A part may end in the middle of a character.
  const decoder = new TextDecoder();
  const read = (): string => {
    const buffer = Buffer.alloc(1_000_000);
    try {
      return decoder.decode(buffer.subarray(0, readSync(reader, buffer)), { stream: true });
    } catch {
      return '';
    }
  };
  return { writer, read, path, leave };
}

function linesFrom(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${first + index} ü\n`).join('');
}

it('a slow reader gets every line in order', async (t) => {
  const { writer, read } = openPipe(t);
  let dropped = 0;
  const output = new LogOutput({ fd: writer, onDropped: () => (dropped += 1) });
  for (let first = 0; first < 30_000; first += 100) output.add(linesFrom(first, 100), 100);
  let text = '';
  await until(() => {
    text += read();
    return text.length >= linesFrom(0, 30_000).length;
  }, 'all has come');
  assert.equal(text, linesFrom(0, 30_000));
  assert.equal(dropped, 0);
});

/** More than a pipe takes at once, so that it is full in the middle of a line. */
const MUCH = linesFrom(0, 10_000);

it('a slow reader gets lines that a pipe takes in parts only, each once', async (t) => {
  const { writer, read } = openPipe(t);
  const output = new LogOutput({ fd: writer, onDropped: () => assert.fail('a line is lost') });
  for (const _ of [1, 2]) output.add(MUCH, 10_000);
  let text = '';
  await until(() => {
    text += read();
    return text.length >= 2 * MUCH.length;
  }, 'all has come');
  assert.equal(text, MUCH + MUCH);
});

it('the log goes on for as long as its reader keeps up, however much that is', async (t) => {
  const { writer, read } = openPipe(t);
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const lines = linesFrom(0, 100);
  const output = new LogOutput({
    fd: writer,
    maxBytes: 3 * Buffer.byteLength(lines),
    onDropped: () => assert.fail('a line is lost'),
  });
  for (let round = 0; round < 20; round += 1) {
    output.add(lines, 100);
    let text = '';
    await until(() => {
      text += read();
      return text === lines;
    }, 'the lines have come');
    await output.end(60_000);
  }
  assert.equal(timers(), before, 'nothing keeps the process from its end');
});

it('exactly as many bytes wait as may', async (t) => {
  const { writer } = openPipe(t);
  let dropped = 0;
  const lines = linesFrom(0, 100);
  const maxBytes = 2 * Buffer.byteLength(lines);
  const output = new LogOutput({ fd: writer, maxBytes, onDropped: () => (dropped += 1) });
  for (const lost of [0, 0, 100]) {
    output.add(lines, 100);
    assert.equal(dropped, lost);
  }
  await output.end(60_000);
});

it('what a reader who reads nothing leaves over is bounded, counted line by line, and given up at the end', async (t) => {
  const { writer, read } = openPipe(t);
  let dropped = 0;
  const output = new LogOutput({ fd: writer, maxBytes: 200_000, onDropped: () => (dropped += 1) });
  for (let first = 0; first < 50_000; first += 100) output.add(linesFrom(first, 100), 100);
  assert.ok(dropped > 30_000, `${dropped} are lost already`);
  const startedAt = performance.now();
  await output.end(100);
  assert.ok(performance.now() - startedAt < 5_000);
  const whole = read().split('\n').length - 1;
  assert.ok(whole > 0);
  // A hundred lines are one write, and the pipe is full in the middle of one.
  assert.ok(Math.abs(50_000 - whole - dropped) <= 100, `${whole} read, ${dropped} lost`);
});

it('lines that come after the end was given up go out whole once the reader reads', async (t) => {
  const { writer, read } = openPipe(t);
  let dropped = 0;
  const output = new LogOutput({ fd: writer, onDropped: () => (dropped += 1) });
  for (let first = 0; first < 20_000; first += 1_000) output.add(linesFrom(first, 1_000), 1_000);
  await output.end(50);
  assert.ok(dropped > 0);
  output.add('the last line\n', 1);
  let text = '';
  await until(() => {
    text += read();
    return text.endsWith('the last line\n');
  }, 'the last line has come');
  assert.ok(text.split('\n').includes('the last line'), 'on a line of its own');
});

it('a line that was given up while it was being written does not swallow the next one', async (t) => {
  const { writer, read } = openPipe(t);
  let dropped = 0;
  const maxBytes = Buffer.byteLength(MUCH) + 100;
  const output = new LogOutput({ fd: writer, maxBytes, onDropped: () => (dropped += 1) });
  output.add(MUCH, 10_000);
  const ending = output.end(0);
  // The write ends meanwhile, but is heard of only after the end.
  for (const from = performance.now(); performance.now() < from + 100; );
  await ending;
  assert.equal(dropped, 10_000);
  output.add('the last line\n', 1);
  let text = '';
  await until(() => {
    text += read();
    return text.endsWith('\nthe last line\n');
  }, 'the last line has come, on a line of its own');
  output.add(MUCH, 10_000);
  assert.equal(dropped, 10_000, 'there is room again');
});

it('a reader that goes in the middle of a line costs what waited; the next reader begins with a whole one', async (t) => {
  const { writer, read, leave } = openPipe(t);
  let dropped = 0;
  const failures: string[] = [];
  const output = new LogOutput({
    fd: writer,
    onDropped: () => (dropped += 1),
    onFailed: ({ message }) => void failures.push(message),
  });
  output.add(MUCH, 10_000);
  const begin = read();
  const comeBack = leave();
  await until(() => dropped === 10_000, 'the lines are lost');
  assert.match(failures.join(), /^EPIPE/);
  comeBack();
  output.add('the next line\n', 1);
  let text = begin;
  await until(() => {
    text += read();
    return text.endsWith('the next line\n');
  }, 'the next line has come');
  assert.ok(text.split('\n').includes('the next line'), 'on a line of its own');
  assert.equal(dropped, 10_000);
});

it('the process that exits writes the rest of what is partly out, and what is added then', async (t) => {
  const { writer, read } = openPipe(t);
  const output = new LogOutput({ fd: writer, onDropped: () => assert.fail('a line is lost') });
  const full = Promise.withResolvers<void>();
  const { setTimeout } = globalThis;
  const mocked = t.mock.method(globalThis, 'setTimeout', () => {
    full.resolve();
    return setTimeout(() => {}, 0);
  });
  output.add(MUCH, 10_000);
  // It will be tried again later; until then no thread writes.
  await full.promise;
  mocked.mock.restore();
  let text = read();
  assert.ok(text.length > MUCH.length / 2);
  output.endNow(() => output.add('the last line\n', 1));
  text += read();
  assert.equal(text, `${MUCH}the last line\n`);
});

it('the process that exits waits for a reader that reads', async (t) => {
  const { writer, path } = openPipe(t);
  const output = new LogOutput({ fd: writer, onDropped: () => assert.fail('a line is lost') });
  const copy = `${path}.copy`;
  const command = `sleep 0.1; exec head --bytes=${5 * Buffer.byteLength(MUCH)} '${path}' >'${copy}'`;
  const reader = spawn(...owned('sh', ['-c', command]), { stdio: 'ignore' });
  // On a busy machine the reader may take longer than the process waits.
  const clock = { now: 0 };
  const mocked = t.mock.method(performance, 'now', () => (clock.now += 0.05));
  output.endNow(() => {
    for (let times = 0; times < 5; times += 1) output.add(MUCH, 10_000);
  });
  mocked.mock.restore();
  await once(reader, 'close');
  assert.equal(readFileSync(copy, 'utf8'), MUCH.repeat(5));
});

it('the process that exits writes what waits, and waits for no reader', (t) => {
  const { writer, read } = openPipe(t);
  const output = new LogOutput({ fd: writer, onDropped: () => {} });
  output.endNow();
  for (let first = 0; first < 50_000; first += 100) output.add(linesFrom(first, 100), 100);
  const startedAt = performance.now();
  output.endNow();
  assert.ok(performance.now() - startedAt < 5_000);
  assert.ok(read().length > 0);
});

it('lines that a full disk refuses are lost and counted, and the next ones are tried', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  let dropped = 0;
  const output = new LogOutput({ fd: full, onDropped: () => (dropped += 1) });
  output.add(linesFrom(0, 3), 3);
  await until(() => dropped === 3, 'three are lost');
  output.add(linesFrom(3, 2), 2);
  await output.end(1_000);
  assert.equal(dropped, 5);
});

it('a terminal that takes nothing, as after Ctrl-S, does not keep the process from its end', {
  skip: SKIP_WITHOUT_TERMINAL,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vialer-middleware-terminal-'));
  const program = join(folder, 'program.mjs');
  const log = new URL('../../src/telemetry/log.ts', import.meta.url).href;
  writeFileSync(
    program,
    `import { writeFileSync } from 'node:fs';
     import { createLog } from ${JSON.stringify(log)};
     const log = createLog({ level: 'info', format: 'json', onDropped: () => {} });
     for (let line = 0; line < 20_000; line += 1) log.write('info', 'x'.repeat(200), {});
     writeFileSync(${JSON.stringify(join(folder, 'pid'))}, String(process.pid));
     await log.flush();
     process.exit();`,
  );
  const command = `'${process.execPath}' --disable-warning=ExperimentalWarning '${program}'`;
  // Nobody reads what the terminal shows.
  const terminal = spawn(...owned('script', ['--quiet', '--command', command, '/dev/null']), {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => {
    terminal.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  await until(() => existsSync(join(folder, 'pid')), 'the program runs', 60_000);
  await until(() => hasEnded(readFileSync(join(folder, 'pid'), 'utf8')), 'it has ended');
});

/** Also if its parent has not heard of it yet. */
function hasEnded(pid: string): boolean {
  if (pid === '') return false;
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
