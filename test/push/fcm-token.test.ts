import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OauthAnswer } from '../../src/push/services/fcm/oauth.ts';
import { createFcmToken } from '../../src/push/services/fcm/token.ts';
import { createHandClock, recordEvents, settle } from './helpers/provider-fixture.ts';

const MINUTE = 60_000;
const DOWN: OauthAnswer = { kind: 'unavailable', reason: 'oauth-server-error' };
const REFUSED: OauthAnswer = { kind: 'app-fault', reason: 'oauth-invalid-grant' };
function given(token: string, lifetimeMs = 60 * MINUTE): OauthAnswer {
  return {
    kind: 'token',
    token,
    lifetimeMs,
  };
}

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

it('it is fetched once for all who wait, and handed out at once afterwards', async () => {
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

it('warming fetches it before the first push', async () => {
  const { token, asked } = scene(given('one'));
  token.warm();
  token.warm();
  await settle();
  assert.deepEqual(token.current(0), { kind: 'token', header: 'Bearer one' });
  token.warm();
  assert.equal(asked(), 1);
  token.close();
});

it('it is renewed five minutes ahead of its end while the old one goes on', async () => {
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

it('the renewed one takes its place', async () => {
  const { token, clock, asked } = scene(given('one'), given('two'));
  token.warm();
  await clock.advance(55 * MINUTE);
  assert.deepEqual(token.current(0), { kind: 'token', header: 'Bearer two' });
  await clock.advance(54 * MINUTE);
  assert.equal(asked(), 2);
  token.close();
});

it('a renewal that fails is tried again while the old token is good', async () => {
  const { token, clock } = scene(given('one'), DOWN, DOWN, DOWN, given('two'));
  token.warm();
  await clock.advance(55 * MINUTE);
  await clock.advance(36_000);
  assert.deepEqual(token.current(0), { kind: 'token', header: 'Bearer two' });
  token.close();
});

it('who waits is told by the deadline', async () => {
  const { token, clock } = scene(null);
  const answer = token.current(clock.now() + 500);
  await clock.advance(500);
  assert.deepEqual(await answer, { kind: 'unavailable', reason: 'oauth-timeout' });
  token.close();
});

it('an outage is tried again, three times in all', async () => {
  const { token, clock, asked, events } = scene(DOWN);
  const answer = token.current(clock.now() + 4_000);
  await clock.advance(999);
  assert.deepEqual(await answer, DOWN);
  assert.equal(asked(), 3);
  assert.equal(events.named('fcmTokenFailed').length, 3);
  token.close();
});

it('a short outage costs no push', async () => {
  const { token, clock } = scene(DOWN, given('one'));
  const answer = token.current(clock.now() + 4_000);
  await clock.advance(200);
  assert.deepEqual(await answer, { kind: 'token', header: 'Bearer one' });
  token.close();
});

it('a refused account is asked for twice, then not at once, but later, so that it is told of before a call', async () => {
  const { token, clock, asked } = scene(REFUSED, REFUSED, given('one'));
  const answer = token.current(clock.now() + 4_000);
  await clock.advance(200);
  assert.deepEqual(await answer, REFUSED);
  assert.equal(asked(), 2);
  await clock.advance(4_799);
  assert.equal(asked(), 2);
  await clock.advance(1);
  assert.equal(asked(), 3);
  assert.deepEqual(token.current(0), { kind: 'token', header: 'Bearer one' });
  token.close();
});

function phone(n: number) {
  return { account: 100_000_000 + n, token: `token-${n}` };
}

describe('a token that Google refuses', () => {
  it('is replaced for the next try, once a minute for one phone', async () => {
    const { token, clock, asked } = scene(given('one'), given('two'), given('three'));
    const deadline = clock.now() + 400_000;
    await token.current(deadline);
    await token.refused('Bearer one', phone(1), deadline);
    assert.deepEqual(token.current(deadline), { kind: 'token', header: 'Bearer two' });
    for (let i = 0; i < 29; i += 1) {
      await token.refused('Bearer two', phone(1), deadline);
      await clock.advance(2_000);
    }
    assert.equal(asked(), 2);
    await clock.advance(2_000);
    await token.refused('Bearer two', phone(1), deadline);
    assert.equal(asked(), 3);
    token.close();
  });

  it('for several phones in a row: every ten seconds', async () => {
    const { token, clock, asked } = scene(given('one'), given('two'), given('three'));
    const deadline = clock.now() + 400_000;
    await token.current(deadline);
    await token.refused('Bearer one', phone(1), deadline);
    await clock.advance(9_999);
    for (const n of [1, 2, 3]) await token.refused('Bearer two', phone(n), deadline);
    assert.equal(asked(), 2);
    await clock.advance(1);
    token.accepted();
    await token.refused('Bearer two', phone(3), deadline);
    assert.equal(asked(), 2, 'a push that was taken in between ends the row');
    await token.refused('Bearer two', phone(2), deadline);
    assert.equal(asked(), 3);
    token.close();
  });

  it('goes on being used by the others until the next one is there', async () => {
    const { token, clock, asked } = scene(given('one'), null);
    const deadline = clock.now() + 4_000;
    await token.current(deadline);
    const refused = token.refused('Bearer one', phone(1), deadline);
    assert.deepEqual(token.current(deadline), { kind: 'token', header: 'Bearer one' });
    const another = token.refused('Bearer one', phone(2), deadline);
    await clock.advance(500);
    await Promise.all([refused, another]);
    assert.equal(asked(), 2, 'both have waited for the same one, and not for longer than 500 ms');
    token.close();
  });

  it('a push that used the token of before can be tried again at once', async () => {
    const { token, clock, asked } = scene(given('one'), given('two'));
    const deadline = clock.now() + 4_000;
    await token.current(deadline);
    await token.refused('Bearer one', phone(1), deadline);
    await token.refused('Bearer one', phone(2), deadline);
    assert.equal(asked(), 2);
    token.close();
  });
});

describe('an outage of the token address', () => {
  it('is asked about every second while calls come, and listeners hear of the end', async () => {
    const outage = Array.from({ length: 23 }, () => DOWN);
    const { token, clock, asked } = scene(...outage, given('one'));
    let fetched = 0;
    const end = token.onFetched(() => {
      fetched += 1;
    });
    const answer = token.current(clock.now() + 4_000);
    await clock.advance(999);
    assert.deepEqual(await answer, DOWN);
    assert.equal(asked(), 3);
    await clock.advance(19_000);
    assert.equal(asked(), 22, 'once a second');
    await clock.advance(2_000);
    assert.equal(fetched, 1);
    assert.deepEqual(token.current(0), { kind: 'token', header: 'Bearer one' });
    end();
    await clock.advance(55 * MINUTE);
    assert.equal(fetched, 1);
    token.close();
  });

  it('is asked about ever more seldom a minute after the last call, and at once with the next', async () => {
    const { token, clock, asked } = scene(DOWN);
    token.warm();
    await clock.advance(60_000);
    const before = asked();
    assert.ok(before >= 58 && before <= 61, `${before} questions in a minute`);
    await clock.advance(10 * MINUTE);
    assert.ok(asked() - before <= 21, `${asked() - before} questions in ten minutes without a call`);
    const quiet = asked();
    for (let i = 0; i < 100; i += 1) token.warm();
    await clock.advance(5_000);
    assert.ok(asked() - quiet >= 4 && asked() - quiet <= 7, `${asked() - quiet} questions in five seconds`);
    token.close();
  });

  it('that never answers is asked again as soon as a question has timed out', async () => {
    const clock = createHandClock();
    let asked = 0;
    const token = createFcmToken({
      clock,
      events: recordEvents(),
      fetchToken: (timeoutMs) => {
        asked += 1;
        return new Promise((resolve) =>
          clock.after(timeoutMs, () => resolve({ kind: 'unavailable', reason: 'oauth-timeout' })),
        );
      },
    });
    token.warm();
    await clock.advance(20_000);
    assert.ok(asked >= 10 && asked <= 11, `${asked} questions in 20 s`);
    token.close();
    await clock.advance(2_000);
    assert.equal(clock.timers(), 0);
  });

  it('a refused account is asked about every five seconds, however many calls come', async () => {
    const { token, clock, asked } = scene(REFUSED);
    for (let i = 0; i < 300; i += 1) {
      token.warm();
      await clock.advance(100);
    }
    assert.ok(asked() >= 6 && asked() <= 7, `${asked()} questions in 30 s`);
    token.close();
  });
});

it('the time that the machine slept counts', async () => {
  const { token, clock } = scene(given('one'), given('two'));
  await token.current(clock.now() + 4_000);
  clock.jumpWall(70 * MINUTE);
  assert.deepEqual(await token.current(clock.now() + 4_000), { kind: 'token', header: 'Bearer two' });
  token.close();
});

it('after closing no timer is left and nothing is asked', async () => {
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

it('closing ends a fetch and who waits for it', async () => {
  const { token, clock } = scene(null);
  const answer = token.current(clock.now() + 4_000);
  token.close();
  assert.equal((await answer).kind, 'unavailable');
  assert.equal(clock.timers(), 0);
});
