import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OauthAnswer } from '../../src/push/fcm/oauth.ts';
import { createFcmToken } from '../../src/push/fcm/token.ts';
import { createHandClock, recordEvents, settle } from './helpers/provider-fixture.ts';

const MINUTE = 60_000;
const DOWN: OauthAnswer = { kind: 'unavailable', reason: 'oauth-server-error' };
const REFUSED: OauthAnswer = { kind: 'app-fault', reason: 'oauth-invalid-grant' };
const given = (token: string, lifetimeMs = 60 * MINUTE): OauthAnswer => ({
  kind: 'token',
  token,
  lifetimeMs,
});

/** Answers in turn; the last one for ever. `null` never answers. */
function scene(...answers: (OauthAnswer | null)[]) {
  const clock = createHandClock();
  const events = recordEvents();
  let asked = 0;
  const token = createFcmToken({
    clock,
    events,
    fetchToken: (_timeoutMs, signal) => {
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      if (answer) return Promise.resolve(answer);
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'unavailable', reason: 'oauth-unreachable' }));
      });
    },
  });
  return { clock, events, token, asked: () => asked };
}

test('it is fetched once for all who wait, and handed out at once afterwards', async () => {
  const { token, clock, asked } = scene(given('one'));
  const deadline = clock.now() + 4_000;
  const answers = await Promise.all([token.current(deadline), token.current(deadline)]);
  assert.deepEqual(answers, [
    { kind: 'token', header: 'Bearer one' },
    { kind: 'token', header: 'Bearer one' },
  ]);
  assert.deepEqual(token.current(deadline), answers[0]);
  assert.equal(asked(), 1);
  token.close();
});

test('warming fetches it before the first push', async () => {
  const { token, asked } = scene(given('one'));
  token.warm();
  token.warm();
  await settle();
  assert.deepEqual(token.current(0), { kind: 'token', header: 'Bearer one' });
  token.warm();
  assert.equal(asked(), 1);
  token.close();
});

test('it is renewed five minutes ahead of its end while the old one goes on', async () => {
  const { token, clock, asked } = scene(given('one'), null);
  token.warm();
  await clock.advance(55 * MINUTE - 1);
  assert.equal(asked(), 1);
  await clock.advance(1);
  assert.equal(asked(), 2);
  assert.deepEqual(token.current(clock.now() + 1), { kind: 'token', header: 'Bearer one' });
  await clock.advance(5 * MINUTE - 10_000);
  assert.ok(token.current(clock.now() + 1) instanceof Promise, 'not in its last seconds');
  token.close();
  await clock.advance(10);
});

test('the renewed one takes its place', async () => {
  const { token, clock, asked } = scene(given('one'), given('two'));
  token.warm();
  await clock.advance(55 * MINUTE);
  assert.deepEqual(token.current(0), { kind: 'token', header: 'Bearer two' });
  await clock.advance(54 * MINUTE);
  assert.equal(asked(), 2);
  token.close();
});

test('a renewal that fails is tried again while the old token is good', async () => {
  const { token, clock } = scene(given('one'), DOWN, DOWN, DOWN, given('two'));
  token.warm();
  await clock.advance(55 * MINUTE);
  await clock.advance(30_000);
  assert.deepEqual(token.current(0), { kind: 'token', header: 'Bearer two' });
  token.close();
});

test('who waits is told by the deadline', async () => {
  const { token, clock } = scene(null);
  const answer = token.current(clock.now() + 500);
  await clock.advance(500);
  assert.deepEqual(await answer, { kind: 'unavailable', reason: 'oauth-timeout' });
  token.close();
});

test('an outage is tried again, three times in all', async () => {
  const { token, clock, asked, events } = scene(DOWN);
  const answer = token.current(clock.now() + 4_000);
  await clock.advance(1_000);
  assert.deepEqual(await answer, DOWN);
  assert.equal(asked(), 3);
  assert.equal(events.named('fcmTokenFailed').length, 3);
  token.close();
});

test('a short outage costs no push', async () => {
  const { token, clock } = scene(DOWN, given('one'));
  const answer = token.current(clock.now() + 4_000);
  await clock.advance(200);
  assert.deepEqual(await answer, { kind: 'token', header: 'Bearer one' });
  token.close();
});

test('a refused account is not asked for again at once, but later, so that it is told of before a call', async () => {
  const { token, clock, asked } = scene(REFUSED, given('one'));
  assert.deepEqual(await token.current(clock.now() + 4_000), REFUSED);
  assert.equal(asked(), 1);
  await clock.advance(5_000);
  assert.equal(asked(), 2);
  assert.deepEqual(token.current(0), { kind: 'token', header: 'Bearer one' });
  token.close();
});

test('a token that Google refuses is replaced, but no more than once a minute', async () => {
  const { token, clock, asked } = scene(given('one'), given('two'), given('three'));
  const deadline = clock.now() + 4_000;
  await token.current(deadline);
  assert.equal(token.refused('Bearer one'), true);
  assert.equal(token.refused('Bearer one'), true, 'others who used it wait for the next one too');
  assert.deepEqual(await token.current(deadline), { kind: 'token', header: 'Bearer two' });
  assert.equal(token.refused('Bearer one'), true);
  assert.equal(token.refused('Bearer two'), false);
  assert.equal(asked(), 2);
  await clock.advance(60_000);
  assert.equal(token.refused('Bearer two'), true);
  token.close();
});

test('the time that the machine slept counts', async () => {
  const { token, clock } = scene(given('one'), given('two'));
  await token.current(clock.now() + 4_000);
  clock.jumpWall(70 * MINUTE);
  assert.deepEqual(await token.current(clock.now() + 4_000), { kind: 'token', header: 'Bearer two' });
  token.close();
});

test('after closing no timer is left and nothing is asked', async () => {
  const { token, clock, asked } = scene(given('one'));
  token.warm();
  await settle();
  token.close();
  assert.equal(clock.timers(), 0);
  await clock.advance(120 * MINUTE);
  assert.deepEqual(await token.current(clock.now() + 4_000), {
    kind: 'unavailable',
    reason: 'oauth-unreachable',
  });
  token.warm();
  assert.equal(asked(), 1);
});

test('closing ends a fetch and who waits for it', async () => {
  const { token, clock } = scene(null);
  const answer = token.current(clock.now() + 4_000);
  token.close();
  assert.equal((await answer).kind, 'unavailable');
  assert.equal(clock.timers(), 0);
});
