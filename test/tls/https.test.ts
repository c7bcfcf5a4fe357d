import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trustSandbox } from '../../src/cli/trust-sandbox.ts';
import { startTestService } from '../helpers/test-service.ts';
import { createTlsFolder, shownTo } from './tls-service.ts';

test('x', async (t) => {
  const folder = await createTlsFolder(t);
  const service = await startTestService(t, { settings: folder.settings });
  trustSandbox(folder.ca.certificate);
  assert.match(service.url, /^https:/);
  const phone = await service.phone();
  const a = await service.ask({ account: phone.account });
  assert.deepEqual([a.status, a.body], [200, 'status=ACK']);
  assert.equal(await shownTo(service.url, folder), 'first');
  await folder.write(folder.ca.issueServer({ commonName: 'second' }));
  await service.app.reload();
  assert.equal(await shownTo(service.url, folder), 'second');
});
