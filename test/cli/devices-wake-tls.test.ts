import assert from 'node:assert/strict';
import { it } from 'node:test';
import { trustSandbox } from '../../src/cli/sandbox/sandbox-apps.ts';
import { startTestService } from '../helpers/test-service.ts';
import { createTlsFolder } from '../tls/tls-service.ts';
import { createCli } from './cli-fixture.ts';

it('devices wake reaches a service that speaks HTTPS and wants a client certificate', async (t) => {
  const folder = await createTlsFolder(t);
  const settings = { ...folder.settings, ...folder.mutual };
  const service = await startTestService(t, { settings });
  trustSandbox(folder.ca.certificate);
  const phone = await service.phone({ kind: 'ios' });
  const cli = await createCli(t);
  const pbx = folder.pbxCa.issueClient({ commonName: 'pbx-1' });
  const shown = [
    '--cert',
    await cli.file('pbx.pem', pbx.certificate),
    '--key',
    await cli.file('pbx-key.pem', pbx.privateKey),
  ];
  const wake = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    cli.run(['devices', 'wake', String(phone.account), ...args], env);

  await t.test('at its own address, known by its own certificate', async () => {
    const own = { ...settings, PORT: new URL(service.url).port };
    const woken = await wake(shown, own);
    assert.deepEqual([woken.code, woken.stderr], [0, '']);
    assert.match(woken.stdout, /through https:\/\/127\.0\.0\.1:/);
    const refused = await wake([], own);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /refuses this machine as a PBX: Refused: a client certificate/);
  });

  await t.test('not known when the file has been renewed and not been read again', async () => {
    await folder.write(folder.ca.issueServer());
    const woken = await wake(shown, { ...settings, PORT: new URL(service.url).port });
    assert.equal(woken.code, 1);
    assert.match(woken.stderr, /not trusted|another certificate than TLS_CERT_FILE/);
  });

  await t.test('behind --via, verified by the authorities that this machine trusts', async () => {
    const via = ['--via', service.url, ...shown];
    const woken = await wake(via, { NODE_EXTRA_CA_CERTS: await cli.file('ca.pem', folder.ca.certificate) });
    assert.deepEqual([woken.code, woken.stderr], [0, '']);
    const untrusted = await wake(via, {});
    assert.equal(untrusted.code, 1);
    assert.match(untrusted.stderr, /is not trusted \(.*NODE_EXTRA_CA_CERTS/);
  });

  await t.test('--cert without --key is refused', async () => {
    const woken = await wake(['--via', service.url, '--cert', 'x'], {});
    assert.deepEqual([woken.code, woken.stderr.trim()], [2, '--cert and --key must be given together.']);
  });
});
