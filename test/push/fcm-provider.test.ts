import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fcmScene, phone } from './helpers/fcm-scene.ts';
import { answered, makeDevice, makeRequest, PLAIN, settle } from './helpers/provider-fixture.ts';

it('a call goes out as Google asks', async () => {
  const { provider, channel, clock } = fcmScene();
  for (const platform of ['android', 'gcm'] as const) {
    const request = makeRequest(clock, { device: { ...phone, platform } });
    assert.deepEqual(await provider.send(request, PLAIN), { kind: 'accepted', reason: 'Accepted' });
    const sent = channel.sent.at(-1);
    assert.equal(sent?.path, '/v1/projects/project%20one/messages:send');
    assert.deepEqual(sent?.headers, {
      authorization: 'Bearer token-1',
      'content-type': 'application/json',
    });
    const { message } = JSON.parse(sent?.body ?? '');
    assert.equal(message.token, 'fcm-token');
    assert.equal(message.data.type, 'call');
    assert.deepEqual(message.android, { priority: 'HIGH', ttl: '0s' });
    assert.equal('notification' in message, false);
    assert.equal(sent?.deadline, request.deadline);
    assert.equal(sent?.wanted, request.wanted);
  }
});

it('a notice is a data message; Apple ways of telling are not sent', async () => {
  const { provider, channel, clock } = fcmScene();
  const notice = (channelName: 'data' | 'alert' | 'voip') =>
    makeRequest(clock, { device: phone, message: { kind: 'notice', text: 'T', channel: channelName } });
  assert.equal((await provider.send(notice('data'), PLAIN)).kind, 'accepted');
  assert.deepEqual(JSON.parse(channel.sent[0]?.body ?? '').message.data, { type: 'message', message: 'T' });
  for (const name of ['alert', 'voip'] as const)
    assert.deepEqual(await provider.send(notice(name), PLAIN), {
      kind: 'our-fault',
      reason: 'notice-unsupported',
    });
  assert.equal(channel.sent.length, 1);
});

it('a refused OAuth token is replaced for the next try, and no more for the same phone', async () => {
  const { send, channel, fetched } = fcmScene(answered(401, { error: { status: 'UNAUTHENTICATED' } }));
  for (let i = 0; i < 3; i += 1)
    assert.deepEqual(await send(), { kind: 'app-fault', reason: 'UNAUTHENTICATED' });
  assert.equal(fetched(), 2);
  assert.deepEqual(
    channel.sent.map(({ headers }) => headers['authorization']),
    ['Bearer token-1', 'Bearer token-2', 'Bearer token-2'],
  );
});

it('without an OAuth token nothing is sent, and the reason is told', async () => {
  const refused = fcmScene(undefined, { kind: 'app-fault', reason: 'oauth-invalid-grant' });
  const refusal = refused.send();
  await refused.clock.advance(1_000);
  assert.deepEqual(await refusal, { kind: 'app-fault', reason: 'oauth-invalid-grant', unsent: true });
  assert.equal(refused.channel.sent.length, 0);
  const down = fcmScene(undefined, { kind: 'unavailable', reason: 'oauth-unreachable' });
  const verdict = down.send();
  await down.clock.advance(4_000);
  assert.deepEqual(await verdict, { kind: 'unavailable', reason: 'oauth-unreachable', unsent: true });
  const closed = fcmScene(undefined, { kind: 'unavailable', reason: 'oauth-unreachable', certain: true });
  const certainly = closed.send();
  await closed.clock.advance(5_000);
  assert.deepEqual(await certainly, {
    kind: 'unavailable',
    reason: 'oauth-unreachable',
    unsent: true,
    certain: true,
  });
});

it('a request without an answer is what the channel says of it', async () => {
  assert.deepEqual(await fcmScene({ kind: 'failed', reason: 'timeout' }).send(), {
    kind: 'unavailable',
    reason: 'timeout',
  });
});

it('warming connects and fetches the token; closing lets go of both', async () => {
  const { provider, channel, clock, fetched } = fcmScene();
  provider.warm();
  await settle();
  assert.equal(channel.counts.warmings, 1);
  assert.equal(fetched(), 1);
  assert.equal(provider.environmentOf(makeDevice({ sandbox: true })), 'production');
  await provider.close();
  assert.equal(channel.counts.closings, 1);
  assert.equal(clock.timers(), 0);
});
