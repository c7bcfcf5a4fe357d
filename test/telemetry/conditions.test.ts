import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Condition, createConditions } from '../../src/telemetry/conditions.ts';
import type { LogFields } from '../../src/telemetry/redaction.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
  readonly hasStack: boolean;
}

const MINUTE_MS = 60_000;

function scene(t: TestContext, { isOn = () => true }: { readonly isOn?: () => boolean } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const clock = { now: 1_000_000 };
  t.mock.method(performance, 'now', () => clock.now);
  const lines: Line[] = [];
  const conditions = createConditions({
    isOn,
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
    pass: (ms: number) => {
      clock.now += ms;
      t.mock.timers.tick(ms);
    },
    minute: () => t.mock.timers.tick(MINUTE_MS),
    taken: () => lines.splice(0),
  };
}

describe('a condition that lasts', () => {
  it('is told at once, once a minute with how often it was met, and when it is over', (t) => {
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

  it('and comes and goes writes three lines a minute at most, and none is lost', (t) => {
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

  it('that nobody ends is over after a minute without it', (t) => {
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

  it('others are told beside it, each by its key; what was not told yet is when the log closes', (t) => {
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

  it('keeps the stack of a surprise, and none of what networks do', (t) => {
    const { conditions, condition, taken } = scene(t);
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    conditions.met(condition({ key: 'a', error: refused }));
    conditions.met(condition({ key: 'b', error: new TypeError('x is not a function') }));
    const [network, surprise] = taken();
    assert.equal(network?.hasStack, false);
    assert.match(String(network?.fields['error']), /ECONNREFUSED 127\.0\.0\.1:1/);
    assert.equal(surprise?.hasStack, true);
  });

  it('is logged with how long it lasts, in seconds', (t) => {
    const { conditions, condition, pass, taken } = scene(t);
    conditions.met(condition());
    pass(MINUTE_MS - 1);
    conditions.met(condition());
    taken();
    pass(1);
    assert.deepEqual(taken()[0]?.fields, { origin: 'o', times: 1, sinceSeconds: 60 });
    pass(14_600);
    conditions.over('connect', 'reached again', { after: 'all' });
    assert.deepEqual(taken()[0]?.fields, { after: 'all', times: 2, lastedSeconds: 75 });
  });

  it('is logged each minute as it was last met, and so is its end by silence', (t) => {
    const { conditions, condition, minute, taken } = scene(t);
    const ends = 'by-silence';
    for (const origin of ['first', 'last']) conditions.met(condition({ ends, fields: { origin } }));
    taken();
    minute();
    assert.equal(taken()[0]?.fields['origin'], 'last');
    minute();
    assert.deepEqual(
      taken().map(({ message, fields }) => [message, fields['origin'], fields['times']]),
      [['over: unreachable', 'last', 2]],
    );
    conditions.met(condition({ ends }));
    assert.equal(taken()[0]?.fields['times'], undefined, 'it begins anew');
  });

  it('that is met again after its end was logged is logged at the end of the minute', (t) => {
    const { conditions, condition, minute, taken } = scene(t);
    conditions.met(condition());
    conditions.over('connect', 'reached again');
    conditions.met(condition());
    assert.equal(taken().length, 2);
    assert.equal(conditions.timesMet('connect'), 2);
    minute();
    assert.deepEqual(
      taken().map(({ level, message, fields }) => [level, message, fields['times']]),
      [['error', 'unreachable', 1]],
    );
    conditions.over('connect', 'reached again');
    assert.equal(taken()[0]?.message, 'reached again', 'in another minute');
    minute();
    assert.deepEqual(taken(), []);
  });

  it('is logged in the minute that begins with the first condition, and in the next', (t) => {
    const { conditions, condition, pass, taken } = scene(t);
    const meet = (key: string) => conditions.met(condition({ key, fields: { key } }));
    const told = () => taken().map(({ fields }) => fields['key']);
    meet('a');
    meet('a');
    pass(30_000);
    meet('b');
    meet('b');
    taken();
    pass(29_999);
    assert.deepEqual(told(), []);
    pass(1);
    assert.deepEqual(told(), ['a', 'b']);
    meet('a');
    pass(MINUTE_MS);
    assert.deepEqual(told(), ['a']);
    for (const key of ['a', 'b']) conditions.over(key, 'over');
    taken();
    pass(MINUTE_MS);
    pass(30_000);
    meet('c');
    meet('c');
    taken();
    pass(MINUTE_MS - 1);
    assert.deepEqual(told(), [], 'a minute of its own, since nothing lasted');
    pass(1);
    assert.deepEqual(told(), ['c']);
  });

  it('has been met so many times, until it is over or forgotten', (t) => {
    const { conditions, condition, minute, taken } = scene(t);
    assert.equal(conditions.timesMet('connect'), 0);
    for (const times of [1, 2]) {
      conditions.met(condition());
      assert.equal(conditions.timesMet('connect'), times);
    }
    conditions.over('connect', 'reached again');
    assert.equal(conditions.timesMet('connect'), 0);
    conditions.met(condition({ key: 'other' }));
    conditions.met(condition({ key: 'other' }));
    conditions.forget('other');
    assert.equal(conditions.timesMet('other'), 0);
    taken();
    minute();
    assert.deepEqual(taken(), []);
    conditions.over('other', 'nobody knows');
    assert.deepEqual(taken(), []);
  });

  it('is logged when the log closes only if something is not logged yet, and never afterwards', (t) => {
    const { conditions, condition, minute, taken } = scene(t);
    for (const key of ['told', 'untold', 'untold']) conditions.met(condition({ key, fields: { key } }));
    taken();
    conditions.close();
    assert.deepEqual(
      taken().map(({ fields }) => fields['key']),
      ['untold'],
    );
    minute();
    assert.deepEqual(taken(), []);
    assert.equal(conditions.timesMet('told'), 0);
    conditions.met(condition({ key: 'later' }));
    conditions.met(condition({ key: 'later' }));
    taken();
    minute();
    assert.equal(taken().length, 1, 'minutes go on for what comes later');
  });

  it('is not followed where its level is not written', (t) => {
    let isOn = false;
    const { conditions, condition, taken } = scene(t, { isOn: () => isOn });
    conditions.met(condition());
    assert.equal(conditions.timesMet('connect'), 0);
    assert.deepEqual(taken(), []);
    isOn = true;
    conditions.met(condition());
    assert.equal(taken()[0]?.fields['times'], undefined);
  });

  it('is not followed without bound', (t) => {
    const { conditions, condition, taken } = scene(t);
    for (let key = 0; key < 3_000; key += 1) conditions.met(condition({ key: `server ${key}` }));
    assert.equal(taken().length, 1_000);
  });
});
