import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { App } from '../../src/apps/app.ts';
import { createAppSenders } from '../../src/push/app-senders.ts';
import type { PushProvider } from '../../src/push/push-provider.ts';
import {
  apnsKey,
  createHandClock,
  makeApp,
  makeDevice,
  recordEvents,
  settle,
} from './helpers/provider-fixture.ts';

function scene(createProvider?: (app: App) => PushProvider) {
  const log: string[] = [];
  const events = recordEvents();
  const make = (app: App): PushProvider => {
    const name = `${app.appId}#${app.revision}`;
    log.push(`made ${name}`);
    return {
      name: 'apns',
      environmentOf: () => 'production',
      send: async () => ({ kind: 'accepted', reason: 'Accepted' }),
      warm: () => {
        log.push(`warmed ${name}`);
      },
      watch: () => {},
      close: async () => {
        log.push(`closed ${name}`);
      },
    };
  };
  const senders = createAppSenders({
    createProvider: createProvider ?? make,
    clock: createHandClock(),
    events,
    maxInFlight: 2_000,
  });
  return { log, events, senders };
}

const REFUSED = { kind: 'app-fault', reason: 'key-unusable', unsent: true } as const;
const credential = apnsKey('pem');
function app(key: number, revision = 1) {
  return makeApp(credential, { key, revision, appId: `app${key}` });
}

it('apps are taken up and connected; the same again changes nothing', () => {
  const { senders, log } = scene();
  senders.update([app(1), app(2)]);
  senders.update([app(1), app(2)]);
  assert.deepEqual(log, ['made app1#1', 'warmed app1#1', 'made app2#1', 'warmed app2#1']);
  assert.equal(senders.get(2)?.app.appId, 'app2');
  assert.equal(senders.get(3), undefined);
  assert.deepEqual(
    senders.inFlight().map(({ appId, platform, inFlight }) => [appId, platform, inFlight]),
    [
      ['app1', 'apns', 0],
      ['app2', 'apns', 0],
    ],
  );
});

it('a removed app is closed, the others stay as they are', async () => {
  const { senders, log } = scene();
  senders.update([app(1), app(2)]);
  const kept = senders.get(2);
  senders.update([app(2)]);
  await settle();
  assert.equal(senders.get(1), undefined);
  assert.equal(senders.get(2), kept);
  assert.deepEqual(log.slice(4), ['closed app1#1']);
});

it('a changed app gets a new provider and breaker before the old one is closed', async () => {
  const { senders, log } = scene();
  senders.update([app(1)]);
  const breaker = senders.get(1)?.breakerFor(makeDevice());
  breaker?.enter(makeDevice())?.end(makeDevice(), REFUSED, 4_000);
  assert.equal(senders.get(1)?.breakerFor(makeDevice()).state(), 'open');
  senders.update([app(1, 2)]);
  await settle();
  assert.equal(senders.get(1)?.app.revision, 2);
  assert.equal(senders.get(1)?.breakerFor(makeDevice()).state(), 'closed');
  assert.deepEqual(log.slice(2), ['made app1#2', 'warmed app1#2', 'closed app1#1']);
});

it('a push of the old app that ends late says nothing of the breaker of its successor', () => {
  const { senders, events } = scene();
  senders.update([app(1)]);
  const pass = senders.get(1)?.breakerFor(makeDevice()).enter(makeDevice());
  senders.update([app(1, 2)]);
  assert.deepEqual(events.named('appRetired'), [{ app: 1, appId: 'app1', platform: 'apns' }]);
  pass?.end(makeDevice(), REFUSED, 4_000);
  assert.deepEqual(events.named('breakerChanged'), []);
});

it('the old provider is closed when its last push has ended', async () => {
  const { senders, log } = scene();
  senders.update([app(1)]);
  const old = senders.get(1);
  old?.enter();
  old?.enter();
  senders.update([]);
  old?.leave();
  await settle();
  assert.equal(log.includes('closed app1#1'), false);
  old?.leave();
  await settle();
  assert.equal(log.includes('closed app1#1'), true);
});

it('closing closes all at once, also what was still ending, and takes up nothing more', async () => {
  const { senders, log } = scene();
  senders.update([app(1), app(2)]);
  senders.get(1)?.enter();
  senders.update([app(2)]);
  await senders.close();
  assert.deepEqual(log.slice(4).toSorted(), ['closed app1#1', 'closed app2#1']);
  senders.update([app(3)]);
  assert.equal(senders.get(3), undefined);
  assert.equal(senders.get(2), undefined);
});

it('an app whose credential is unusable is told of, and is down alone', () => {
  const { senders, events } = scene((added) => {
    if (added.key === 1) throw new Error('no key');
    return {
      name: 'apns',
      environmentOf: () => 'production',
      send: async () => ({ kind: 'accepted', reason: 'Accepted' }),
      warm: () => {},
      watch: () => {},
      close: async () => {},
    };
  });
  senders.update([app(1), app(2)]);
  assert.equal(senders.get(1)?.provider, undefined);
  assert.ok(senders.get(2)?.provider);
  const [fault] = events.named('appFault');
  assert.ok(fault && 'reason' in fault && fault.reason === 'credential-unusable');
});

it('a provider that cannot be closed is told of', async () => {
  const { senders, events } = scene(() => ({
    name: 'apns',
    environmentOf: () => 'production',
    send: async () => ({ kind: 'accepted', reason: 'Accepted' }),
    warm: () => {},
    watch: () => {},
    close: async () => {
      throw new Error('stuck');
    },
  }));
  senders.update([app(1)]);
  senders.update([]);
  await settle();
  assert.equal(events.named('appCloseFailed').length, 1);
});
