import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import type { App } from '../../src/apps/app.ts';
import type { UnreadableApp } from '../../src/apps/apps-reading.ts';
import { CredentialUnreadable } from '../../src/apps/credential-unreadable.ts';
import { type AppWithoutCredential, watchApps } from '../../src/service/app-watcher.ts';
import { apnsKey, makeApp } from '../push/helpers/provider-fixture.ts';

/** A watcher that looks by itself once a day, over apps whose list is read when it is told to. */
function scene(t: TestContext) {
  const credential = apnsKey('pem');
  const taken: (readonly App[])[] = [];
  const errors: unknown[] = [];
  const unreadable: (readonly AppWithoutCredential[])[] = [];
  let stored: readonly (App | UnreadableApp)[] | undefined;
  let revision = 1;
  let lists = 0;
  let held = Promise.resolve();
  const watcher = watchApps({
    store: {
      revision: async () => revision,
      read: async () => {
        lists += 1;
        const rows = stored ?? [makeApp(credential, { revision })];
        await held;
        return {
          apps: rows.filter((row) => 'credential' in row),
          unreadable: rows.filter((row) => 'error' in row),
          unencrypted: 0,
        };
      },
    },
    intervalMs: 86_400_000,
    onApps: (apps) => taken.push(apps),
    onUnreadable: (apps) => unreadable.push(apps),
    onError: (error) => errors.push(error),
  });
  t.after(() => watcher.stop());
  return {
    watcher,
    errors,
    taken,
    unreadable,
    lists: () => lists,
    revisions: () => taken.map(([app]) => app?.revision),
    change: (rows?: readonly (App | UnreadableApp)[]) => {
      stored = rows;
      revision += 1;
    },
    /** From now on a read of the apps ends when the result is called. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
  };
}

it('a change that is committed while the apps are being read is taken up by who asks then', async (t) => {
  const { watcher, change, hold, revisions, lists } = scene(t);
  const release = hold();
  const first = watcher.refresh();
  while (lists() === 0) await Promise.resolve();
  change();
  const second = watcher.refresh();
  const third = watcher.refresh();
  release();
  await Promise.all([first, second, third]);
  assert.deepEqual(revisions(), [1, 2]);
});

it('a watcher that was stopped takes up nothing more, also of a read that is under way', async (t) => {
  const { watcher, hold, revisions, lists, errors } = scene(t);
  const release = hold();
  const first = watcher.refresh();
  while (lists() === 0) await Promise.resolve();
  const second = watcher.refresh();
  watcher.stop();
  release();
  await Promise.all([first, second]);
  assert.equal(lists(), 1);
  assert.deepEqual([revisions(), errors], [[], []]);
});

it('apps that did not change are not read again', async (t) => {
  const { watcher, revisions, lists } = scene(t);
  await watcher.refresh();
  await watcher.refresh();
  assert.equal(lists(), 1);
  assert.deepEqual(revisions(), [1]);
});

it('an app whose credential cannot be read any more stays exactly as it was, and is told until it can', async (t) => {
  const { watcher, change, taken, unreadable, errors } = scene(t);
  const before = makeApp(apnsKey('pem'), { key: 7, revision: 1 });
  const after = { ...before, revision: 9 };
  const error = new CredentialUnreadable(
    { platform: 'apns', appId: 'com.example.app' },
    { kind: 'key-missing', keyId: 'new', configured: [] },
  );
  change([before]);
  await watcher.refresh();
  change([
    { key: 7, error },
    { key: 8, error },
  ]);
  await watcher.refresh();
  change([{ key: 7, error }]);
  await watcher.refresh();
  change([after]);
  await watcher.refresh();
  change([]);
  await watcher.refresh();
  assert.deepEqual(taken, [[before], [before], [before], [after], []]);
  const kept = { error, kept: true };
  assert.deepEqual(unreadable, [[], [kept, { error, kept: false }], [kept], [], []]);
  assert.deepEqual(errors, []);
});
