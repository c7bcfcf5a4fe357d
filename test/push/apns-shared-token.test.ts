import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createApnsTokens, type SharedToken, type SharedTokens } from '../../src/push/services/apns/token.ts';
import { apnsKey, createHandClock, makeEcKey, recordEvents } from './helpers/provider-fixture.ts';

const MINUTE = 60_000;
const key = makeEcKey();

/** What several processes share, in memory. */
function sharedPlace(): SharedTokens & { readonly kept: Map<string, SharedToken> } {
  const kept = new Map<string, SharedToken>();
  return {
    kept,
    load: async (id) => kept.get(id),
    replace: async (id, next, previous) => {
      if (kept.get(id)?.jwt === previous?.jwt) kept.set(id, next);
      return kept.get(id) ?? next;
    },
  };
}

function scene(shared: SharedTokens = sharedPlace()) {
  const clock = createHandClock();
  const process = () => {
    const events = recordEvents();
    return { events, token: createApnsTokens({ clock, events, shared }).forKey(apnsKey(key.pem)) };
  };
  return { clock, process };
}

it('two processes use one token, whoever comes first', async () => {
  const { process } = scene();
  const [one, two] = [process(), process()];
  const first = await one.token.current();
  assert.equal(await two.token.current(), first);
  assert.equal(one.events.named('apnsTokenMinted').length, 1);
  assert.equal(two.events.named('apnsTokenMinted').length, 0);
});

it('two processes that mint at the same moment end up with one token', async () => {
  const { process } = scene();
  const [one, two] = [process(), process()];
  const both = await Promise.all([one.token.current(), two.token.current()]);
  assert.equal(both[0], both[1]);
});

it('a process that starts late takes the token over for the rest of its time, and all renew it once', async () => {
  const { process, clock } = scene();
  const one = process();
  const first = await one.token.current();
  await clock.advance(40 * MINUTE);
  const two = process();
  assert.equal(await two.token.current(), first);
  await clock.advance(10 * MINUTE);
  const second = await two.token.current();
  assert.notEqual(second, first);
  assert.equal(await one.token.current(), second);
});

it('a token that Apple calls expired is not taken from the others again', async () => {
  const { process, clock } = scene();
  const one = process();
  const first = await one.token.current();
  await clock.advance(25 * MINUTE);
  assert.equal(one.token.expired(first), true);
  const second = await one.token.current();
  assert.notEqual(second, first);
  assert.equal(await process().token.current(), second);
});

it("a token from another machine's future is not used", async () => {
  const shared = sharedPlace();
  const { process, clock } = scene(shared);
  const first = await process().token.current();
  clock.jumpWall(-10 * MINUTE);
  assert.notEqual(await process().token.current(), first);
});

it('when the shared place fails, the process makes a token of its own and tells it', async () => {
  const failing: SharedTokens = {
    load: async () => {
      throw new Error('database away');
    },
    replace: async () => {
      throw new Error('database away');
    },
  };
  const { events, token } = scene(failing).process();
  assert.match(await token.current(), /^bearer /);
  assert.equal(events.named('apnsTokenNotShared').length, 1);
});

it('a shared place that does not answer holds a push up for a second at most', async () => {
  const silent: SharedTokens = { load: () => new Promise(() => {}), replace: () => new Promise(() => {}) };
  const { process, clock } = scene(silent);
  const { events, token } = process();
  const waiting = token.current();
  await clock.advance(1_000);
  assert.match(await waiting, /^bearer /);
  assert.equal(events.named('apnsTokenNotShared').length, 1);
});
