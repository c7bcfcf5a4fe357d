import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { trustSandbox } from '../../src/cli/sandbox/sandbox-apps.ts';
import { askPbx } from '../../src/sandbox/pbx.ts';
import { createPhone } from '../../src/sandbox/phone.ts';
import { startServiceProcess } from '../helpers/service-process.ts';
import { createTlsFolder, shownTo } from './tls-service.ts';

const ACCOUNT = 200_000_003;

it('SIGHUP reads the TLS files again, and the call that waits meanwhile gets its answer', async (t) => {
  const folder = await createTlsFolder(t);
  const service = await startServiceProcess(t, { ...folder.settings, APP_PUSH_ROUNDTRIP_WAIT: '30000' });
  trustSandbox(folder.ca.certificate);
  const user = { account: ACCOUNT, user: 'user@example.com', password: 'pw', token: 'platform-token' };
  const phone = createPhone({
    kind: 'ios',
    account: ACCOUNT,
    token: 'cd'.repeat(32),
    app: 'com.example.phone',
    server: service.url,
    authorization: service.world.platform.addUser(user).token,
  });
  t.after(() => phone.close());
  assert.equal((await phone.register()).status, 201);
  const waiting = askPbx({ url: service.url, account: ACCOUNT, phoneNumber: '020' });
  await until(() => service.world.apple.received.count() > 0, 'the phone is pushed');

  const told = (message: RegExp) => service.lines().filter((line) => message.test(String(line['msg'])));
  await folder.write({ certificate: 'not a certificate' });
  service.process.kill('SIGHUP');
  await until(() => told(/not used: the former ones stay/).length === 1, 'the bad file is refused');
  assert.equal(await shownTo(service.url, folder), 'first');

  await folder.write(folder.ca.issueServer({ commonName: 'second' }));
  service.process.kill('SIGHUP');
  await until(() => told(/new connections use them/).length === 1, 'the good file is taken');
  assert.equal(await shownTo(service.url, folder), 'second');

  const push = service.world.apple.received.list().at(-1);
  assert.ok(push);
  assert.equal((await phone.answer(push)).status, 202);
  assert.equal((await waiting).body, 'status=ACK');
  service.process.kill('SIGTERM');
  assert.equal(await service.ended(), 0);
});

it('SIGHUP without TLS changes nothing', async (t) => {
  const service = await startServiceProcess(t);
  service.process.kill('SIGHUP');
  await until(() => service.output().includes('nothing to reload'), 'it is said');
  assert.equal((await fetch(`${service.url}/healthz`)).status, 200);
});
