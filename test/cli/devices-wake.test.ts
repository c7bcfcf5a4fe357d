import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { answerAccepted } from '../helpers/answer-push.ts';
import { startTestService } from '../helpers/test-service.ts';
import { createCli } from './cli-fixture.ts';

const PBX_TOKEN = 'pbx-token-0123456789';

it('devices wake through the running service', async (t) => {
  const service = await startTestService(t, { settings: { PBX_TOKEN } });
  const cli = await createCli(t);
  const wake = (account: number, more: readonly string[] = [], token = PBX_TOKEN) =>
    cli.run(['devices', 'wake', String(account), '--via', service.url, ...more], { PBX_TOKEN: token });

  await t.test('tells each step with its time when the app answers', async () => {
    const phone = await service.phone({ kind: 'ios', silent: true });
    const [woken] = await Promise.all([
      wake(phone.account, ['--from', '+31201234567']),
      answerAccepted(service, phone),
    ]);
    assert.deepEqual([woken.code, woken.stderr], [0, '']);
    assert.match(woken.stdout, /^ {2}device +found$/m);
    assert.match(woken.stdout, /^ {2}push +\d+\.\d ms +accepted/m);
    assert.match(woken.stdout, /^ {2}app +\d+\.\d ms +answered$/m);
    assert.match(woken.stdout, /^ {2}result +\d+\.\d ms +ready \(status=ACK\)$/m);
    const push = service.world.apple.received.list().at(-1);
    assert.deepEqual(
      [push?.payload['phonenumber'], push?.payload['caller_id']],
      ['+31201234567', 'Test call'],
    );
    assert.ok(!woken.all.includes(phone.token));
  });

  await t.test('says in JSON what a script needs', async () => {
    const phone = await service.phone({ silent: true });
    const [woken] = await Promise.all([wake(phone.account, ['--json']), answerAccepted(service, phone)]);
    const report: unknown = JSON.parse(woken.stdout);
    assert.ok(typeof report === 'object' && report !== null);
    const { pushAcceptedMs, appAnsweredMs, tookMs, ...rest } = {
      pushAcceptedMs: 0,
      appAnsweredMs: 0,
      tookMs: 0,
      ...report,
    };
    assert.ok(pushAcceptedMs > 0 && pushAcceptedMs <= appAnsweredMs && appAnsweredMs <= tookMs);
    assert.deepEqual(rest, {
      account: phone.account,
      mode: 'service',
      via: `${service.url}/`,
      awake: true,
      outcome: 'ready',
      answer: 'status=ACK',
      reason: null,
      advice: 'Nothing to do: the phone was woken and its app is ready for a call.',
    });
  });

  await t.test('a call that does not end well exits 1, with the reason and what to do', async () => {
    const silent = await service.phone({ silent: true });
    const declining = await service.phone({ available: false });
    const dead = await service.phone({ register: true });
    service.world.google.unregisterDevice(dead.token);
    const cases = [
      [silent.account, 'timed-out', /check that the phone is online/],
      [declining.account, 'declined', /cannot take a call now/],
      [dead.account, 'token-gone (UNREGISTERED)', /open the app so that it registers again/],
      [987654321, 'no-device', /No phone is registered for this account/],
    ] as const;
    for (const [account, ending, advice] of cases) {
      const woken = await wake(account);
      assert.deepEqual([woken.code, woken.stderr], [1, `The phone is not ready for a call: ${ending}.\n`]);
      assert.match(woken.stdout, advice);
    }
  });

  await t.test(
    'a service that refuses this machine says so, and is not taken for one that is absent',
    async () => {
      const phone = await service.phone();
      const refused = await wake(phone.account, [], 'pbx-token-of-another');
      assert.deepEqual([refused.code, refused.stdout], [1, '']);
      assert.match(refused.stderr, /refuses this machine as a PBX: .*PBX_TOKEN[^\n]*\n$/);
      assert.equal(phone.pushes(), 0);
    },
  );

  await t.test('an impatient operator ends the call for the service, too', async () => {
    const phone = await service.phone({ silent: true });
    const woken = await wake(phone.account, ['--timeout', '400']);
    assert.deepEqual([woken.code, woken.stdout], [1, '']);
    assert.match(woken.stderr, /gave no answer within 400 ms\.\n$/);
    await until(() => service.running.waiting() === 0, 'the call has ended');
  });

  await t.test('something else that listens there is not taken for the service', async () => {
    const woken = await cli.run(['devices', 'wake', '123456789', '--via', service.running.metricsUrl]);
    assert.deepEqual([woken.code, woken.stdout], [1, '']);
    assert.match(woken.stderr, /does not answer as this service does \(HTTP 404\)/);
  });
});
