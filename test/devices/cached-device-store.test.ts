import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createCredentialVault } from '../../src/apps/credential-vault.ts';
import { createCachedDeviceStore } from '../../src/devices/cached-device-store.ts';
import { createDeviceStore, type DeviceStore } from '../../src/devices/device-store.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';
import { settlesAtOnce } from '../helpers/at-once.ts';

const ACCOUNT = 123456789;
const NOW = 1_795_000_000_123;
const PHONE = { account: ACCOUNT, platform: 'apns', appId: 'com.example.app', token: 'aa' } as const;
const CREDENTIAL = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;
const UNAVAILABLE = { name: 'StorageUnavailable' };

type State = 'there' | 'away' | 'hangs';

/** A real store on SQLite with a door in front that can be shut, or never opened again. */
function withDoor(store: DeviceStore) {
  const door = { state: 'there' as State, asked: 0 };
  const reached: Array<() => void> = [];
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    door.asked += 1;
    if (door.state === 'hangs') {
      // Its answer is made, and does not arrive.
      const result = await work();
      await new Promise<void>((resolve) => reached.push(resolve));
      return result;
    }
    if (door.state !== 'there') throw new StorageUnavailable('gone', { cause: undefined });
    return work();
  };
  const guarded: DeviceStore = {
    find: (account) => through(() => store.find(account)),
    findTarget: (account) => through(() => store.findTarget(account)),
    exists: (account) => through(() => store.exists(account)),
    register: (registration, now) => through(() => store.register(registration, now)),
    unregister: (device) => through(() => store.unregister(device)),
    dropToken: (device) => through(() => store.dropToken(device)),
    setSandbox: (device) => through(() => store.setSandbox(device)),
    checkIn: (account, now) => through(() => store.checkIn(account, now)),
    list: (page) => through(() => store.list(page)),
    remove: (account) => through(() => store.remove(account)),
  };
  const release = () => {
    for (const resolve of reached.splice(0)) resolve();
  };
  return { door, guarded, release, waiting: () => reached.length };
}

describe('devices in memory while the database is away', () => {
  let close: () => Promise<void>;
  let scene: Awaited<ReturnType<typeof openScene>>;
  const openScene = async () => {
    const database = await openDatabase('sqlite::memory:');
    close = () => database.close();
    await migrate(database);
    const { app } = await createAppStore(
      database,
      createCredentialVault({ current: undefined, previous: [] }),
    ).save({ ...PHONE, credential: CREDENTIAL }, NOW);
    const stored = createDeviceStore(database);
    const { door, guarded, release, waiting } = withDoor(stored);
    const clock = { now: 0 };
    const told: string[] = [];
    const devices = createCachedDeviceStore(guarded, {
      seconds: 60,
      maxEntries: 3,
      lateMs: 2_000,
      now: () => clock.now,
      events: {
        servedFromCache: ({ first }) => told.push(first ? 'first' : 'again'),
        cacheRetired: ({ calls }) => told.push(`over after ${calls}`),
      },
    });
    return { app, stored, door, release, waiting, clock, told, devices };
  };
  beforeEach(async () => {
    scene = await openScene();
  });
  afterEach(() => close());
  const tokenNow = async () => (await scene.devices.findTarget(ACCOUNT))?.token;

  it('the database is asked first, always, while it answers', async () => {
    const { devices, stored, told } = scene;
    await devices.register(PHONE, NOW);
    await stored.register({ ...PHONE, token: 'bb' }, NOW + 1);
    assert.equal(await tokenNow(), 'bb');
    await stored.remove(ACCOUNT);
    assert.equal(await tokenNow(), undefined);
    assert.deepEqual(told, []);
  });

  it('a phone that was found or registered is there while the database is away, until it is too old', async () => {
    const { devices, door, clock, told } = scene;
    await devices.register(PHONE, NOW);
    door.state = 'away';
    assert.equal(await tokenNow(), 'aa');
    assert.equal(await tokenNow(), 'aa');
    assert.deepEqual(told, ['first', 'again']);
    clock.now = 60_001;
    await assert.rejects(devices.findTarget(ACCOUNT), UNAVAILABLE);
  });

  it('an account that is not remembered hears that the database is away', async () => {
    scene.door.state = 'away';
    await assert.rejects(scene.devices.findTarget(ACCOUNT), UNAVAILABLE);
    assert.deepEqual(scene.told, []);
  });

  it('what is known to be away is not asked for every call, and soon found to be back', async () => {
    const { devices, door, clock, told, stored } = scene;
    await devices.register(PHONE, NOW);
    door.state = 'away';
    await tokenNow();
    const { asked } = door;
    for (let call = 0; call < 50; call += 1) await tokenNow();
    assert.ok(door.asked - asked <= 1, `${door.asked - asked} questions for 50 calls`);
    door.state = 'there';
    clock.now += 1_000;
    await tokenNow();
    await until(() => told.includes('over after 52'), 'it is found to be back');
    await stored.register({ ...PHONE, token: 'bb' }, NOW + 1);
    assert.equal(await tokenNow(), 'bb', 'the database is asked first again');
    door.state = 'away';
    await tokenNow();
    assert.equal(told.at(-1), 'first', 'a new outage is told anew');
  });

  it('a database that hangs is waited for less than a second, and the calls after it not at all', async () => {
    const { devices, door, release } = scene;
    await devices.register(PHONE, NOW);
    door.state = 'hangs';
    const askedAt = performance.now();
    assert.equal(await tokenNow(), 'aa');
    assert.ok(performance.now() - askedAt >= 700);
    for (let call = 0; call < 20; call += 1) assert.ok(await settlesAtOnce(tokenNow()));
    door.state = 'away';
    release();
  });

  it('a phone that unregistered or was removed is not woken', async () => {
    for (const leave of [
      () => scene.devices.unregister(PHONE),
      () => scene.devices.remove(ACCOUNT),
      () => scene.devices.dropToken({ ...PHONE, appKey: scene.app.key }),
    ]) {
      await scene.devices.register(PHONE, NOW);
      assert.equal(await leave(), true);
      scene.door.state = 'away';
      await assert.rejects(scene.devices.findTarget(ACCOUNT), UNAVAILABLE);
      scene.door.state = 'there';
    }
  });

  it('an unregistration of unknown end: the phone is not woken, another one of the account is', async () => {
    const { devices, door } = scene;
    await devices.register(PHONE, NOW);
    door.state = 'away';
    await assert.rejects(devices.unregister({ ...PHONE, token: 'old' }), UNAVAILABLE);
    assert.equal(await tokenNow(), 'aa');
    await assert.rejects(devices.unregister(PHONE), UNAVAILABLE);
    await assert.rejects(devices.findTarget(ACCOUNT), UNAVAILABLE);
  });

  it('a change of unknown end may come late: what is read until then is not remembered', async () => {
    const { app, clock, devices, door, stored } = scene;
    const other = { ...PHONE, token: 'bb' };
    const changes = [
      [() => devices.register(other, NOW), () => stored.register(other, NOW)],
      [() => devices.unregister(PHONE), () => stored.unregister(PHONE)],
      [() => devices.remove(ACCOUNT), () => stored.remove(ACCOUNT)],
      [
        () => devices.dropToken({ ...PHONE, appKey: app.key }),
        () => stored.dropToken({ ...PHONE, appKey: app.key }),
      ],
    ] as const;
    for (const [change, late] of changes) {
      await devices.register(PHONE, NOW);
      door.state = 'away';
      await assert.rejects(change(), UNAVAILABLE);
      door.state = 'there';
      assert.equal(await tokenNow(), 'aa');
      await late();
      door.state = 'away';
      await assert.rejects(devices.findTarget(ACCOUNT), UNAVAILABLE);
      door.state = 'there';
      await stored.register(PHONE, NOW);
      assert.equal(await tokenNow(), 'aa');
      clock.now += 2_001;
      assert.equal(await tokenNow(), 'aa');
      door.state = 'away';
      assert.equal(await tokenNow(), 'aa', 'long after the database answered again nothing comes any more');
      door.state = 'there';
      clock.now += 1_000;
      await devices.remove(ACCOUNT);
    }
  });

  it('a change that succeeds ends the doubt about an earlier one', async () => {
    const { devices, door } = scene;
    await devices.register(PHONE, NOW);
    door.state = 'away';
    await assert.rejects(devices.register({ ...PHONE, token: 'bb' }, NOW), UNAVAILABLE);
    door.state = 'there';
    await devices.register({ ...PHONE, token: 'cc' }, NOW);
    door.state = 'away';
    assert.equal(await tokenNow(), 'cc');
  });

  it('two changes at once whose answers arrive the other way round: neither is remembered', async () => {
    const { devices, door, release, waiting } = scene;
    const seconds = [
      () => devices.register({ ...PHONE, token: 'bb' }, NOW + 1),
      () => devices.unregister(PHONE),
      () => devices.remove(ACCOUNT),
    ];
    for (const second of seconds) {
      door.state = 'hangs';
      const first = devices.register(PHONE, NOW);
      await until(() => waiting() === 1, 'the first one is made, its answer on its way');
      door.state = 'there';
      await second();
      release();
      await first;
      door.state = 'away';
      await assert.rejects(devices.findTarget(ACCOUNT), UNAVAILABLE);
      door.state = 'there';
      await devices.findTarget(ACCOUNT);
    }
  });

  it('a token that the provider calls dead is forgotten although the database cannot note it', async () => {
    const { devices, door, app } = scene;
    await devices.register(PHONE, NOW);
    door.state = 'away';
    await assert.rejects(devices.dropToken({ ...PHONE, token: 'other', appKey: app.key }), UNAVAILABLE);
    await assert.rejects(
      devices.dropToken({ ...PHONE, appKey: app.key, registeredBefore: NOW }),
      UNAVAILABLE,
    );
    assert.equal(await tokenNow(), 'aa', 'another token, or one that registered again since, stays');
    await assert.rejects(
      devices.dropToken({ ...PHONE, appKey: app.key, registeredBefore: NOW + 1 }),
      UNAVAILABLE,
    );
    await assert.rejects(devices.findTarget(ACCOUNT), UNAVAILABLE);
  });

  it('a registration of unknown end: the same phone may be woken, another phone may not', async () => {
    await scene.devices.register(PHONE, NOW);
    scene.door.state = 'away';
    await assert.rejects(scene.devices.register(PHONE, NOW + 1), UNAVAILABLE);
    assert.equal(await tokenNow(), 'aa');
    await assert.rejects(scene.devices.register({ ...PHONE, token: 'bb' }, NOW + 2), UNAVAILABLE);
    await assert.rejects(scene.devices.findTarget(ACCOUNT), UNAVAILABLE);
  });

  it('an answer of the database that a change has overtaken is not remembered', async () => {
    const { devices, door, release, waiting } = scene;
    await devices.register(PHONE, NOW);
    const changes = [() => devices.unregister(PHONE), () => devices.remove(ACCOUNT)];
    for (const change of changes) {
      await devices.register(PHONE, NOW);
      door.state = 'hangs';
      const slow = devices.findTarget(ACCOUNT);
      await until(() => waiting() === 1, 'the answer is on its way');
      door.state = 'there';
      await change();
      release();
      assert.equal((await slow)?.token, 'aa');
      door.state = 'away';
      await assert.rejects(devices.findTarget(ACCOUNT), UNAVAILABLE);
      door.state = 'there';
      await devices.findTarget(ACCOUNT);
    }
  });

  it('the environment that Apple told is used at once', async () => {
    await scene.devices.register(PHONE, NOW);
    scene.door.state = 'away';
    await assert.rejects(scene.devices.setSandbox({ ...PHONE, sandbox: true }), UNAVAILABLE);
    assert.equal((await scene.devices.findTarget(ACCOUNT))?.sandbox, true);
    const ofOther = { ...PHONE, token: 'replaced', sandbox: false };
    await assert.rejects(scene.devices.setSandbox(ofOther), UNAVAILABLE);
    assert.equal((await scene.devices.findTarget(ACCOUNT))?.sandbox, true, 'of its own token only');
  });

  it('phones of an app that was removed are not woken', async () => {
    const { devices, door, app } = scene;
    await devices.register(PHONE, NOW);
    devices.appsKnown([app.key]);
    door.state = 'away';
    assert.equal(await tokenNow(), 'aa');
    devices.appsKnown([app.key + 1]);
    await assert.rejects(devices.findTarget(ACCOUNT), UNAVAILABLE);
  });

  it('no more phones than the limit are remembered: those not asked for longest are forgotten', async () => {
    const { devices, door } = scene;
    for (const step of [0, 1, 2]) await devices.register({ ...PHONE, account: ACCOUNT + step }, NOW);
    await devices.findTarget(ACCOUNT);
    await devices.register({ ...PHONE, account: ACCOUNT + 3 }, NOW);
    door.state = 'away';
    for (const step of [0, 2, 3]) assert.ok(await devices.findTarget(ACCOUNT + step), `account ${step}`);
    await assert.rejects(devices.findTarget(ACCOUNT + 1), UNAVAILABLE);
  });

  it('with 0 seconds nothing is remembered', async () => {
    const { door, guarded } = withDoor(scene.stored);
    const events = { servedFromCache: () => assert.fail(), cacheRetired: () => assert.fail() };
    const devices = createCachedDeviceStore(guarded, { seconds: 0, lateMs: 0, events });
    await devices.register(PHONE, NOW);
    door.state = 'away';
    await assert.rejects(devices.findTarget(ACCOUNT), UNAVAILABLE);
  });
});
