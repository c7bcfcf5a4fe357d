import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { askPbx } from '../../src/sandbox/pbx.ts';
import { ACCOUNT, addPhone } from '../helpers/process-phone.ts';
import { type ServiceProcess, startServiceProcess } from '../helpers/service-process.ts';

function ask(service: ServiceProcess) {
  return askPbx({ url: service.url, account: ACCOUNT, phoneNumber: '0201234567' });
}

describe('stopping', () => {
  it('SIGTERM lets a waiting call get its answer, refuses new ones, and exits 0', async (t) => {
    const service = await startServiceProcess(t, { APP_PUSH_ROUNDTRIP_WAIT: '20000' });
    const phone = await addPhone(service, 1_500);
    t.after(() => phone.close());
    const waiting = ask(service);
    await until(() => service.world.apple.received.count() === 1, 'the phone is pushed');
    service.process.kill('SIGTERM');
    await until(() => service.output().includes('stopping'), 'the service stops');

    const ready = await fetch(`${service.url}/readyz`);
    assert.equal(ready.status, 503);
    assert.deepEqual(await ready.json(), { status: 'not ready', reasons: ['stopping'] });
    const late = await ask(service);
    assert.deepEqual([late.status, late.body, late.outcome], [503, 'status=NAK', 'shutting-down']);

    const answer = await waiting;
    assert.deepEqual([answer.status, answer.body, answer.outcome], [200, 'status=ACK', 'ready']);
    assert.equal(await service.ended(), 0);
  });

  it('a second signal ends the grace: the waiting call hears NAK at once', async (t) => {
    const service = await startServiceProcess(t, { APP_PUSH_ROUNDTRIP_WAIT: '60000' });
    const phone = await addPhone(service, 60_000);
    t.after(() => phone.close());
    const waiting = ask(service);
    await until(() => service.world.apple.received.count() === 1, 'the phone is pushed');
    service.process.kill('SIGTERM');
    await until(() => service.output().includes('stopping'), 'the service stops');
    service.process.kill('SIGTERM');
    const answer = await waiting;
    assert.deepEqual([answer.body, answer.outcome], ['status=NAK', 'shutting-down']);
    assert.equal(await service.ended(), 0);
  });

  it('kill -9 right after a registration was confirmed loses nothing', async (t) => {
    const service = await startServiceProcess(t);
    const phone = await addPhone(service, 5);
    t.after(() => phone.close());
    service.process.kill('SIGKILL');
    assert.equal(await service.ended(), 'SIGKILL');

    const again = await service.again();
    const answer = await ask(again);
    assert.deepEqual([answer.body, answer.outcome], ['status=ACK', 'ready']);
  });

  it("a restart goes on with Apple's provider token: a second one within 20 minutes would be refused", async (t) => {
    const service = await startServiceProcess(t);
    const phone = await addPhone(service, 5);
    t.after(() => phone.close());
    assert.equal((await ask(service)).outcome, 'ready');
    service.process.kill('SIGKILL');
    await service.ended();

    const again = await service.again();
    assert.equal((await ask(again)).outcome, 'ready');
    const tokens = service.world.apple.requests.list().map((request) => request.headers['authorization']);
    assert.equal(tokens.length, 2);
    assert.equal(new Set(tokens).size, 1);
  });

  it('an address in use is one clear line and exit code 1', async (t) => {
    const service = await startServiceProcess(t);
    const port = new URL(service.url).port;
    await assert.rejects(service.again({ PORT: port }), /127\.0\.0\.1:\d+ is in use; set HOST or PORT/);
  });
});
