import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { createAppStore } from '../../src/apps/app-store.ts';
import type { PbxAnswer } from '../../src/sandbox/pbx.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { newAccount, startTestService, type TestPhone } from '../helpers/test-service.ts';

const CALLS = 2_000;
/** New connections at a time: more than a listening socket queues would be tried again by the kernel, seconds later. */
const AT_ONCE = 250;
const WAIT_MS = 60_000;
const APP = 'com.example.phone';

/** What the user of an account does: one in three cannot take the call. */
function canTake(account: number): boolean {
  return account % 3 !== 0;
}

/** Registers phones as one would find them in the database: 2,000 registrations by HTTP are another test's. */
async function registerAll(databaseUrl: string, phones: readonly TestPhone[]): Promise<void> {
  const database = await openDatabase(databaseUrl);
  try {
    const apps = createAppStore(database, PLAIN_VAULT);
    const keys = {
      ios: (await apps.find('apns', APP))?.key,
      android: (await apps.find('android', APP))?.key,
    };
    assert.ok(keys.ios !== undefined && keys.android !== undefined);
    const { ios, android } = keys;
    const rows = phones.map(({ account, token }, n) => ({
      account,
      token,
      app_key: n % 2 === 0 ? android : ios,
      sandbox: 0,
      registered_at: Date.now(),
      last_seen_at: Date.now(),
    }));
    await database.kysely.insertInto('devices').values(rows).execute();
  } finally {
    await database.close();
  }
}

it(`${CALLS} calls wait at once, and each PBX gets the word of its own phone`, async (t) => {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: String(WAIT_MS), APP_PUSH_RESEND_INTERVAL: String(WAIT_MS) },
    world: { apple: { keep: CALLS }, google: { keep: CALLS } },
  });
  const { apple, google } = service.world;
  const phones: TestPhone[] = [];
  for (let n = 0; n < CALLS; n += 1) {
    const kind = n % 2 === 0 ? 'android' : 'ios';
    phones.push(await service.phone({ kind, account: newAccount(), register: false, silent: true }));
  }
  await registerAll(service.databaseUrl, phones);

  const memoryBefore = process.memoryUsage().rss;
  const asked: Promise<PbxAnswer>[] = [];
  for (let n = 0; n < CALLS; n += AT_ONCE) {
    const next = phones.slice(n, n + AT_ONCE);
    asked.push(...next.map(({ account }) => service.ask({ account, timeoutMs: WAIT_MS })));
    await until(() => service.running.waiting() === asked.length, `${asked.length} calls wait`);
  }
  assert.equal(service.running.waiting(), CALLS);
  await until(() => apple.received.count() + google.received.count() === CALLS, 'every phone is pushed');
  const megabytes = (process.memoryUsage().rss - memoryBefore) / 2 ** 20;
  t.diagnostic(`${CALLS} calls with their PBXs and push services took ${megabytes.toFixed(0)} MiB`);
  assert.ok(megabytes < 600, `${megabytes} MiB`);

  const pushes = new Map(
    [...apple.received.list(), ...google.received.list()].map((push) => [push.token, push]),
  );
  assert.equal(pushes.size, CALLS);
  // The last to be pushed answer first, a few at a time as phones would.
  const answering = phones.toReversed();
  const answerNext = async (): Promise<void> => {
    for (let phone = answering.pop(); phone !== undefined; phone = answering.pop()) {
      const push = pushes.get(phone.token);
      assert.ok(push);
      const { status } = await phone.answer(push, { available: canTake(phone.account) });
      assert.equal(status, 202);
    }
  };
  await Promise.all(Array.from({ length: 20 }, answerNext));
  const answers = await Promise.all(asked);
  for (const [n, { outcome, body }] of answers.entries()) {
    const can = canTake(phones[n]?.account ?? Number.NaN);
    assert.equal(outcome, can ? 'ready' : 'declined');
    assert.equal(body, can ? 'status=ACK' : 'status=NAK');
  }
  assert.equal(service.running.waiting(), 0);
  assert.deepEqual([apple.requests.count(), google.requests.count()], [CALLS / 2, CALLS / 2]);
});
