import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Condition, createConditions, isExpected } from '../../src/telemetry/conditions.ts';
import type { LogFields } from '../../src/telemetry/redaction.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
  readonly hasStack: boolean;
}

const MINUTE_MS = 60_000;

function scene(t: TestContext) {
  t.mock;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const lines: Line[] = [];
  const conditions = createConditions({
    isOn: () => true,
    write: (level, message, fields) => lines.push({ level, message, fields, hasStack: false }),
    writeError: (message, _error, fields) => lines.push({ level: 'error', message, fields, hasStack: true }),
    flush: () => {},
  });
  const condition = (more: Partial<Condition> = {}): Condition => ({
    key: 'connect',
    level: 'error',
    message: 'unreachable',
    fields: { origin: 'o' },
    ends: 'by-event',
    ...more,
  });
  return {
    conditions,
    condition,
    lines,
    minute: () => t.mock.timers.tick(MINUTE_MS),
    taken: () => lines.splice(0),
  };
}

describe('a condition that lasts', () => {
  test('is told at once, once a minute with how often it was met, and when it is over', (t) => {
    const { conditions, condition, minute, taken } = scene(t);
    for (let times = 0; times < 72; times += 1) conditions.met(condition());
    assert.deepEqual(
      taken().map(({ message, fields }) => [message, fields['times']]),
      [['unreachable', undefined]],
    );
    minute();
    assert.deepEqual(
      taken().map(({ level, fields }) => [level, fields['times']]),
      [['error', 71]],
    );
    minute();
    assert.deepEqual(taken(), [], 'nothing to say');
    conditions.over('connect', 'reached again');
    const [over] = taken();
    assert.deepEqual([over?.level, over?.message, over?.fields['times']], ['info', 'reached again', 72]);
    conditions.over('connect', 'reached again');
    minute();
    assert.deepEqual(taken(), []);
  });

  test('and comes and goes writes three lines a minute at most, and none is lost', (t) => {
    const { conditions, condition, minute, taken } = scene(t);
    for (let times = 0; times < 50; times += 1) {
      conditions.met(condition());
      conditions.over('connect', 'reached again');
    }
    assert.deepEqual(
      taken().map(({ message }) => message),
      ['unreachable', 'reached again'],
    );
    minute();
    const [end, ...others] = taken();
    assert.deepEqual([end?.message, end?.fields['times'], others.length], ['reached again', 50, 0]);
    conditions.met(condition());
    assert.equal(taken().length, 1, 'it begins anew');
  });

  test('that nobody ends is over after a minute without it', (t) => {
    const { conditions, condition, minute, taken } = scene(t);
    conditions.met(condition({ ends: 'by-silence' }));
    taken();
    minute();
    assert.deepEqual(
      taken().map(({ message }) => message),
      ['over: unreachable'],
    );
    minute();
    assert.deepEqual(taken(), []);
  });

  test('others are told beside it, each by its key; what was not told yet is when the log closes', (t) => {
    const { conditions, condition, taken } = scene(t);
    for (const key of ['a', 'b'])
      for (let times = 0; times < 3; times += 1) conditions.met(condition({ key }));
    assert.equal(taken().length, 2);
    conditions.close();
    assert.deepEqual(
      taken().map(({ fields }) => fields['times']),
      [2, 2],
    );
  });

  test('keeps the stack of a surprise, and none of what networks do', (t) => {
    const { conditions, condition, taken } = scene(t);
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    conditions.met(condition({ key: 'a', error: refused }));
    conditions.met(condition({ key: 'b', error: new TypeError('x is not a function') }));
    const [network, surprise] = taken();
    assert.equal(network?.hasStack, false);
    assert.match(String(network?.fields['error']), /ECONNREFUSED 127\.0\.0\.1:1/);
    assert.equal(surprise?.hasStack, true);
  });

  test('is not followed without bound', (t) => {
    const { conditions, condition, taken } = scene(t);
    for (let key = 0; key < 3_000; key += 1) conditions.met(condition({ key: `server ${key}` }));
    assert.equal(taken().length, 1_000);
  });
});

test('what systems, TLS and drivers answer is expected; a bug is not', () => {
  const coded = (code: string) => Object.assign(new Error('x'), { code });
  for (const code of [
    'ECONNRESET',
    'ENOTFOUND',
    'EPROTO',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'CERT_HAS_EXPIRED',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UND_ERR_CONNECT_TIMEOUT',
    'ERR_HTTP2_STREAM_CANCEL',
  ])
    assert.ok(isExpected(coded(code)), code);
  assert.ok(isExpected(new Error('first', { cause: coded('ETIMEDOUT') })));
  assert.ok(isExpected(Object.assign(new Error('x'), { name: 'StorageUnavailable' })));
  for (const error of [
    coded('ERR_INVALID_ARG_TYPE'),
    coded('ERR_ASSERTION'),
    new RangeError('x'),
    'text',
    undefined,
  ])
    assert.ok(!isExpected(error), String(error));
});
