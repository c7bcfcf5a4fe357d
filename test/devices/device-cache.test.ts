import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PushTarget } from '../../src/devices/device.ts';
import { DeviceCache } from '../../src/devices/device-cache.ts';

function phone(account: number, token = 'aa'): PushTarget {
  return {
    account,
    appKey: 1,
    platform: 'apns',
    appId: 'com.example.app',
    token,
    sandbox: null,
    pushProfile: null,
    remoteNotificationToken: null,
    registeredAt: 1,
  };
}

/** A cache for two devices, of which each may be a minute old, and a clock. */
function openCache() {
  const clock = { now: 0 };
  const cache = new DeviceCache({ maxAgeMs: 60_000, maxEntries: 2, lateMs: 2_000, now: () => clock.now });
  const read = (device: PushTarget) =>
    cache.endRead(device.account, cache.beginRead(device.account), { device });
  /** A change that may still take effect. */
  const doubt = (account: number) =>
    cache.endChange(cache.beginChange(account), { kind: 'unknown', spares: () => false });
  const held = (...accounts: readonly number[]) =>
    accounts.filter((account) => cache.get(account) !== undefined);
  return { clock, cache, read, doubt, held };
}

describe('devices in memory', () => {
  it('are as many as may be: the one that was not asked for longest goes', () => {
    const { cache, read, held } = openCache();
    read(phone(1));
    read(phone(2));
    cache.get(1);
    read(phone(3));
    assert.deepEqual(held(1, 2, 3), [1, 3]);
  });

  it('are given out until they are too old, and not a moment longer', () => {
    const { cache, clock, read, held } = openCache();
    read(phone(1));
    clock.now = 60_000;
    assert.deepEqual([held(1), cache.holdsAny], [[1], true]);
    clock.now = 60_001;
    assert.deepEqual([cache.holdsAny, held(1)], [false, []]);
  });

  it('are not what was read before or while the account was changed', () => {
    const { cache, held } = openCache();
    const before = cache.beginRead(1);
    const change = cache.beginChange(1);
    const during = cache.beginRead(1);
    cache.endChange(change, { kind: 'nothing' });
    cache.endRead(1, before, { device: phone(1) });
    cache.endRead(1, during, { device: phone(1) });
    assert.deepEqual(held(1), []);
    cache.endRead(1, cache.beginRead(1), { device: phone(1) });
    assert.deepEqual(held(1), [1]);
  });

  it('are not kept of two changes at once: nobody knows which was the last', () => {
    const { cache, held } = openCache();
    const changes = [cache.beginChange(1), cache.beginChange(1)];
    for (const change of changes) cache.endChange(change, { kind: 'taken', device: phone(1) });
    assert.deepEqual(held(1), []);
  });

  it('are kept again two seconds after the first answer that follows a change of unknown end', () => {
    const { clock, read, doubt, held } = openCache();
    read(phone(1));
    doubt(1);
    assert.deepEqual(held(1), []);
    clock.now = 10_000;
    read(phone(1));
    clock.now = 11_999;
    read(phone(1));
    assert.deepEqual(held(1), []);
    clock.now = 12_000;
    read(phone(1));
    assert.deepEqual(held(1), [1]);
  });

  it('are kept again once a later change was taken', () => {
    const { cache, doubt, held } = openCache();
    doubt(1);
    cache.endChange(cache.beginChange(1), { kind: 'taken', device: phone(1, 'bb') });
    assert.deepEqual(held(1), [1]);
  });

  it('are doubted for as many accounts as there may be devices, the latest ones', () => {
    const { read, doubt, held } = openCache();
    for (const account of [1, 2, 3]) doubt(account);
    read(phone(1));
    read(phone(3));
    assert.deepEqual(held(1, 3), [1]);
  });

  it('stay what a change of unknown end would spare', () => {
    const { cache, read, held } = openCache();
    read(phone(1));
    cache.endChange(cache.beginChange(1), { kind: 'unknown', spares: ({ token }) => token === 'aa' });
    assert.deepEqual(held(1), [1]);
  });

  it('are forgotten with their app', () => {
    const { cache, read, held } = openCache();
    read(phone(1));
    read({ ...phone(2), appKey: 2 });
    cache.keepOnly(({ appKey }) => appKey === 2);
    assert.deepEqual(held(1, 2), [2]);
  });
});
