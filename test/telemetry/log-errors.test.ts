import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { errorStack, errorWords } from '../../src/telemetry/describe-error.ts';
import { runProgram } from '../storage/run-program.ts';

const PEM = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const TOKEN = 'c0ffee00'.repeat(8);

/** What an error may quote; `§` stands for the secret. */
const QUOTES = [
  ['an address of a database', 'let.me/in@7', 'connect postgres://middleware:§@db.example:5432/calls failed'],
  ['a key in PEM', PEM.split('\n')[1] ?? '', `cannot read ${PEM.replace(PEM.split('\n')[1] ?? '', '§')}`],
  ['a Bearer token', 'let.me-in_7~', 'answered 401 to { authorization: "Bearer §" }'],
  ['a push token of Apple', TOKEN, 'POST /3/device/§ was reset'],
  ['a push token of Google', 'dXJ0aGVyVG9rZW4:APA91bHun4MxP5egoKMwt2KZ', 'no such registration: §'],
] as const;

/** Where in an error it stands. */
const PLACES = [
  ['message', 'new Error(text)'],
  ['cause', "new Error('first', { cause: new Error(text) })"],
  ['cause of a cause', "new Error('first', { cause: new Error('second', { cause: new TypeError(text) }) })"],
  ['cause that is no error', "new Error('first', { cause: { text } })"],
  ['gathered error', "new AggregateError([new Error('one'), new Error(text)], 'all failed')"],
  ['code', "Object.assign(new Error('x'), { code: text })"],
  ['stack', 'Object.assign(new Error("x"), { stack: "Error: x\\n    at " + text + " (file.js:1:2)" })'],
] as const;

describe('an error in the log, as it is written', () => {
  it('holds no secret, wherever it stood, and all that is around it', async (t) => {
    const places = PLACES.map(([, code]) => `(text) => ${code}`);
    const { child, line } = runProgram(`
      import { createLog } from 'src:telemetry/log.ts';
      const log = createLog({ level: 'info', format: 'json', onDropped: () => {} });
      const [texts, places] = [${JSON.stringify(QUOTES.map(([, secret, quote]) => quote.replace('§', secret)))}, [${places.join(',')}]];
      for (const text of texts) for (const place of places) {
        log.writeError('it failed', place(text), { during: text });
        log.write('warn', 'it happened', { reason: text });
      }
      await log.flush();
    `);
    t.after(() => child.kill());
    for (const [what, secret, quote] of QUOTES) {
      for (const [place] of PLACES) {
        for (const message of ['it failed', 'it happened']) {
          const written = await line();
          assert.ok(!written.includes(secret), `${what} in ${place}: ${written}`);
          const fields: Record<string, unknown> = JSON.parse(written);
          assert.equal(fields['msg'], message);
          const told = message === 'it failed' && place !== 'stack' ? fields['error'] : written;
          assert.match(String(told), new RegExp(quote.slice(0, 8)), `${what} in ${place}`);
          if (message === 'it failed') assert.match(String(fields['stack']), /^\s+at /, place);
        }
      }
    }
  });
});

describe('what the log says of an error', () => {
  it('is name, message and code of it and of its causes, in order', () => {
    const cause = Object.assign(new TypeError('second'), { code: 'E_TWO' });
    const words = errorWords(new Error('first', { cause }));
    assert.equal(words, 'Error: first ← TypeError: second (E_TWO)');
    assert.equal(errorWords(new Error('first', { cause: { a: [1] } })), 'Error: first ← { a: [ 1 ] }');
    assert.equal(errorWords(undefined), '');
    assert.equal(errorWords(null), 'null');
  });

  it('is five of a chain of causes at most, also of one without end', () => {
    const endless = new Error('round');
    endless.cause = endless;
    assert.equal(errorWords(endless), Array(5).fill('Error: round').join(' ← '));
  });

  it('is three of the errors that it gathers at most', () => {
    const gathered = ['a', 'b', 'c', 'd'].map((each) => new Error(each));
    assert.equal(
      errorWords(new AggregateError(gathered, 'all')),
      'AggregateError: all [Error: a; Error: b; Error: c]',
    );
    assert.equal(errorWords(new AggregateError([], 'none')), 'AggregateError: none');
  });

  it('is where the innermost of them was made: eight lines and 2,000 characters at most', () => {
    const stackOf = (...lines: readonly string[]) =>
      ['Error: x', ...lines.map((line) => `    at ${line}`)].join('\n');
    const inner = Object.assign(new Error('inner'), { stack: stackOf('inner (x.js:1:1)') });
    const outer = Object.assign(new Error('outer', { cause: inner }), { stack: stackOf('outer (x.js:1:1)') });
    assert.equal(errorStack(outer), '    at inner (x.js:1:1)');
    const throwing = Object.assign(new Error('outer', { cause: 'text' }), { stack: outer.stack });
    assert.equal(errorStack(throwing), '    at outer (x.js:1:1)', 'a cause that is no error has none');
    const long = Array.from({ length: 20 }, (_, line) => `line${line} (x.js:1:1)`);
    inner.stack = stackOf(...long);
    assert.deepEqual(errorStack(inner).split('\n').length, 8);
    inner.stack = stackOf(...long.map((line) => `${line} ${'/path'.repeat(100)}`));
    assert.equal(errorStack(inner).length, 2_000);
    assert.equal(errorStack('text'), '');
  });
});
