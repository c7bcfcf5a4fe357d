import assert from 'node:assert/strict';
import { it } from 'node:test';
import { jwtVerify } from 'jose';
import { createApnsTokens } from '../../src/push/services/apns/token.ts';
import { apnsKey, createHandClock, makeEcKey, makeRsaKey, recordEvents } from './helpers/provider-fixture.ts';

const MINUTE = 60_000;
const key = makeEcKey();

function scene() {
  const clock = createHandClock();
  const events = recordEvents();
  const tokens = createApnsTokens({ clock, events });
  return { clock, events, tokens, token: tokens.forKey(apnsKey(key.pem)) };
}

it('the token is what Apple asks for: ES256 by the key, its id, the team and the time', async () => {
  const { token, clock } = scene();
  const header = await token.current();
  assert.match(header, /^bearer /);
  const { payload, protectedHeader } = await jwtVerify(header.slice(7), key.publicKey, {
    currentDate: new Date(clock.wall()),
  });
  assert.deepEqual(protectedHeader, { alg: 'ES256', kid: 'KEY1234567' });
  assert.deepEqual(payload, { iss: 'TEAM123456', iat: Math.floor(clock.wall() / 1000) });
});

it('it is minted once for all who wait and for all apps of the key', async () => {
  const { token, tokens, events } = scene();
  const other = tokens.forKey(apnsKey(key.pem));
  const headers = await Promise.all([token.current(), token.current(), other.current()]);
  assert.equal(new Set(headers).size, 1);
  assert.equal(other.current(), headers[0], 'and handed out at once afterwards');
  assert.deepEqual(events.named('apnsTokenMinted'), [{ teamId: 'TEAM123456', keyId: 'KEY1234567' }]);
});

it('another key has a token of its own', async () => {
  const { token, tokens } = scene();
  assert.notEqual(await token.current(), await tokens.forKey(apnsKey(key.pem, 'KEY7654321')).current());
});

it('it is renewed after 50 minutes', async () => {
  const { token, clock } = scene();
  const first = await token.current();
  await clock.advance(50 * MINUTE - 1);
  assert.equal(await token.current(), first);
  await clock.advance(1);
  assert.notEqual(await token.current(), first);
});

it('it is renewed when the wall clock was set far away', async () => {
  const { token, clock } = scene();
  const first = await token.current();
  clock.jumpWall(-120 * MINUTE);
  assert.notEqual(await token.current(), first);
});

it('an expired token of less than 20 minutes is kept, an older one is replaced', async () => {
  const { token, clock, events } = scene();
  const first = await token.current();
  await clock.advance(20 * MINUTE - 1);
  assert.equal(token.expired(first), false);
  assert.equal(await token.current(), first);
  await clock.advance(1);
  assert.equal(token.expired(first), true);
  const second = await token.current();
  assert.notEqual(second, first);
  assert.equal(token.expired(first), true, 'a late answer about the first one does not cost the second');
  assert.equal(await token.current(), second);
  assert.equal(events.named('apnsTokenMinted').length, 2);
});

it('what is no private key is refused at once, a key of another kind when it is used', async () => {
  const { tokens } = scene();
  assert.throws(() => tokens.forKey(apnsKey('no key')));
  await assert.rejects(async () => tokens.forKey(apnsKey(makeRsaKey().pem)).current());
});

it('of more than a thousand keys the oldest is forgotten, and no other', async () => {
  const { clock, events, tokens } = scene();
  const keys = Array.from({ length: 1_001 }, (_, index) => apnsKey(key.pem, `KEY${index}`));
  const token = (index: number) => tokens.forKey(keys[index] ?? apnsKey(key.pem)).current();
  const [first, second] = [await token(0), await token(1)];
  for (const each of keys.slice(0, 1_000)) tokens.forKey(each);
  await clock.advance(1_000);
  assert.equal(await token(0), first);
  tokens.forKey(keys[1_000] ?? apnsKey(key.pem));
  assert.equal(await token(1), second);
  assert.equal(events.named('apnsTokenMinted').length, 2);
  assert.notEqual(await token(0), first);
});
