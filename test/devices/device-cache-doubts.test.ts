import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeviceCache } from '../../src/devices/device-cache.ts';
import { makeDevice } from '../push/helpers/provider-fixture.ts';

const LATE_MS = 2_000;
const MOST = 3;
const NOTHING_SPARED = { kind: 'unknown', spares: () => false } as const;

function scene() {
  const clock = { now: 10_000 };
  const cache = new DeviceCache({
    maxAgeMs: 60_000,
    maxEntries: MOST,
    lateMs: LATE_MS,
    now: () => clock.now,
  });
  const device = (account: number, token = 'aa') => makeDevice({ account, token });
  /** A read of the account that finds this token, at once. */
  const read = (account: number, token = 'aa') =>
    cache.endRead(account, cache.beginRead(account), { device: device(account, token) });
  const doubt = (account: number) => cache.endChange(cache.beginChange(account), NOTHING_SPARED);
  return { cache, clock, device, read, doubt, token: (account: number) => cache.get(account)?.token };
}

describe('an account in doubt, after a change of unknown end', () => {
  it('is remembered again once a read begins that long after the first answer of the database', () => {
    const { clock, doubt, read, token } = scene();
    doubt(1);
    clock.now += 50_000;
    read(1);
    assert.equal(token(1), undefined, 'the first answer, however late it comes');
    clock.now += LATE_MS - 1;
    read(1);
    assert.equal(token(1), undefined, 'a millisecond too early');
    clock.now += 1;
    read(1);
    assert.equal(token(1), 'aa');
    read(1, 'bb');
    assert.equal(token(1), 'bb', 'the doubt is over');
  });

  it('is so for each read by when it began, not by when it ended', () => {
    const { cache, clock, device, doubt, read, token } = scene();
    doubt(1);
    read(1);
    const early = cache.beginRead(1);
    clock.now += LATE_MS;
    cache.endRead(1, early, { device: device(1) });
    assert.equal(token(1), undefined);
    read(1);
    assert.equal(token(1), 'aa');
  });

  it('is so anew after another such change', () => {
    const { clock, doubt, read, token } = scene();
    doubt(1);
    read(1);
    clock.now += LATE_MS - 1;
    doubt(1);
    clock.now += 1;
    read(1);
    assert.equal(token(1), undefined, 'this is the first answer since');
    clock.now += LATE_MS;
    read(1);
    assert.equal(token(1), 'aa');
  });

  it('does not end by a read that failed', () => {
    const { cache, clock, doubt, read, token } = scene();
    doubt(1);
    cache.endRead(1, cache.beginRead(1));
    clock.now += LATE_MS;
    read(1);
    assert.equal(token(1), undefined, 'only an answer counts');
  });

  it('does not end by a change that found nothing to change, or that was not the only one', () => {
    const { cache, device, doubt, read, token } = scene();
    doubt(1);
    cache.endChange(cache.beginChange(1), { kind: 'nothing' });
    read(1);
    assert.equal(token(1), undefined);
    const [first, second] = [cache.beginChange(1), cache.beginChange(1)];
    cache.endChange(first, { kind: 'taken', device: device(1, 'first') });
    cache.endChange(second, { kind: 'taken', device: device(1, 'second') });
    read(1);
    assert.equal(token(1), undefined, 'nobody knows which one the database took last');
    cache.endChange(cache.beginChange(1), { kind: 'taken', device: device(1, 'third') });
    assert.equal(token(1), 'third');
    read(1, 'fourth');
    assert.equal(token(1), 'fourth');
  });

  it('is one of as many as devices are remembered: of more, the oldest is trusted again', () => {
    const { doubt, read, token } = scene();
    for (const account of [1, 2, 3, 4]) doubt(account);
    for (const account of [4, 3, 2, 1]) read(account);
    assert.deepEqual([1, 2, 3, 4].map(token), ['aa', undefined, undefined, undefined]);
  });

  it('that is doubted again is the newest of them', () => {
    const { doubt, read, token } = scene();
    for (const account of [1, 2, 3, 1, 4]) doubt(account);
    for (const account of [1, 2]) read(account);
    assert.deepEqual([1, 2].map(token), [undefined, 'aa']);
  });
});

describe('a read of the database', () => {
  it('that began while the account is changed brings nothing', () => {
    const { cache, device, token } = scene();
    const change = cache.beginChange(1);
    const read = cache.beginRead(1);
    cache.endChange(change, { kind: 'taken', device: device(1, 'new') });
    cache.endRead(1, read, { device: device(1, 'old') });
    assert.equal(token(1), 'new');
  });

  it('that is under way when the account is changed brings nothing, each of them', () => {
    const { cache, device, token } = scene();
    const reads = [cache.beginRead(1), cache.beginRead(1)];
    const other = cache.beginRead(2);
    cache.endChange(cache.beginChange(1), { kind: 'taken', device: undefined });
    for (const read of reads) cache.endRead(1, read, { device: device(1, 'old') });
    cache.endRead(2, other, { device: device(2) });
    assert.deepEqual([token(1), token(2)], [undefined, 'aa']);
  });

  it('that finds no device forgets the one that was known', () => {
    const { cache, read, token } = scene();
    read(1);
    cache.endRead(1, cache.beginRead(1), { device: undefined });
    assert.equal(token(1), undefined);
  });

  it('that was under way when something better was learnt brings nothing', () => {
    const { cache, device, read } = scene();
    read(1);
    const slow = cache.beginRead(1);
    cache.amend(1, (known) => ({ ...known, sandbox: true }));
    cache.endRead(1, slow, { device: device(1) });
    assert.equal(cache.get(1)?.sandbox, true);
  });
});

describe('what is remembered', () => {
  it('is a device for as long as told, whatever is learnt of it meanwhile', () => {
    const { cache, clock, read, token } = scene();
    read(1);
    clock.now += 60_000;
    cache.amend(1, (known) => ({ ...known, sandbox: true }));
    assert.equal(token(1), 'aa');
    assert.ok(cache.holdsAny);
    clock.now += 1;
    assert.ok(!cache.holdsAny);
    assert.equal(token(1), undefined);
  });

  it('is held as long as any of it is young enough', () => {
    const { cache, clock, read } = scene();
    read(1);
    clock.now += 60_000;
    read(2);
    clock.now += 1;
    assert.ok(cache.holdsAny);
    clock.now += 60_000;
    assert.ok(!cache.holdsAny);
  });
});
