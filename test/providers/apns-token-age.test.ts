import assert from 'node:assert/strict';
import { it } from 'node:test';

const MINUTE_MS = 60_000;
let shiftMs = 0;
const realNow = Date.now;
// The service takes its clock when it is loaded, so the clock that can be set comes first.
Date.now = () => realNow() + shiftMs;
const { startTestService } = await import('../helpers/test-service.ts');

type Parameters1 = Parameters<typeof startTestService>[0];

async function setUp(t: Parameters1) {
  shiftMs = 0;
  // The stand-in counts the minutes between two tokens on a clock that cannot be set.
  const service = await startTestService(t, { world: { apple: { minTokenUpdateMs: 0 } } });
  const phone = await service.phone({ kind: 'ios' });
  return {
    apple: service.world.apple,
    ask: async () => (await service.ask({ account: phone.account })).outcome,
    tokens: () => service.world.apple.requests.list().map((request) => request.headers.authorization),
    minted: () => service.logged.filter((line) => line.message === 'Apple provider token made').length,
  };
}

const EXPIRED = { kind: 'answer', status: 403, reason: 'ExpiredProviderToken' } as const;

it('a provider token is made once and used for 50 minutes', async (t) => {
  const { ask, tokens, minted } = await setUp(t);
  for (const minutes of [0, 25, 49]) {
    shiftMs = minutes * MINUTE_MS;
    assert.equal(await ask(), 'ready');
  }
  assert.equal(new Set(tokens()).size, 1);
  shiftMs = 51 * MINUTE_MS;
  assert.equal(await ask(), 'ready');
  assert.equal(new Set(tokens()).size, 2);
  assert.equal(minted(), 2);
});

it('403 ExpiredProviderToken for a token older than 20 minutes: another one, and the call goes on', async (t) => {
  const { apple, ask, tokens, minted } = await setUp(t);
  assert.equal(await ask(), 'ready');
  shiftMs = 21 * MINUTE_MS;
  apple.script(EXPIRED, { times: 1 });
  assert.equal(await ask(), 'ready');
  const [first, refused, second, ...more] = tokens();
  assert.deepEqual(more, []);
  assert.equal(refused, first);
  assert.notEqual(second, first);
  assert.equal(minted(), 2);
});

it('403 ExpiredProviderToken twice: the call is over, and no third token is made', async (t) => {
  const { apple, ask, tokens, minted } = await setUp(t);
  assert.equal(await ask(), 'ready');
  shiftMs = 21 * MINUTE_MS;
  apple.script(EXPIRED);
  assert.equal(await ask(), 'push-failed');
  assert.equal(tokens().length, 3);
  assert.equal(minted(), 2);
});

it('403 ExpiredProviderToken for a young token: it is kept', async (t) => {
  const { apple, ask, tokens, minted } = await setUp(t);
  assert.equal(await ask(), 'ready');
  shiftMs = 19 * MINUTE_MS;
  apple.script(EXPIRED, { times: 1 });
  assert.equal(await ask(), 'ready', 'the second try is made with the same one');
  assert.equal(tokens().length, 3);
  assert.equal(new Set(tokens()).size, 1);
  assert.equal(minted(), 1);
});
