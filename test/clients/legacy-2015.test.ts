import assert from 'node:assert/strict';
import { it } from 'node:test';
import { javaForm } from '../helpers/client-encodings.ts';
import { startClientScene } from '../helpers/client-scene.ts';

const APP = { platform: 'apns', appId: 'com.voipgrid.vialer' } as const;

it('the apps of 2015 get the 404 that the reference gives them, and nothing is stored', async (t) => {
  const scene = await startClientScene(t, [APP, { ...APP, platform: 'gcm' }]);
  for (const platform of ['apns', 'gcm'] as const) {
    const phone = scene.newPhone({ ...APP, platform });
    const body = javaForm({
      name: 'iPhone van Jan',
      token: phone.pushToken,
      sip_user_id: String(phone.account),
      os_version: 'iOS 8.4',
      client_version: '2.1.1 (210)',
      app: phone.appId,
    });
    for (const verb of ['register', 'unregister']) {
      await t.test(`POST /api/${verb}-${platform}-device/`, async () => {
        const answer = await scene.send({
          line: `POST /api/${verb}-${platform}-device/`,
          headers: [
            'Host: *',
            'Accept: */*',
            'Content-Type: application/x-www-form-urlencoded; charset=utf-8',
            'Content-Length: *',
            'User-Agent: Vialer/2.1.1 (iPhone; iOS 8.4; Scale/2.00)',
          ],
          body,
        });
        // It has no credential to lose: a 401 would be wrong here, too.
        assert.equal(answer.status, 404);
        assert.equal(answer.headers.get('content-type'), 'text/html');
        assert.match(answer.body, /^<h1>Not Found<\/h1>/);
      });
    }
    assert.equal((await scene.ask({ account: phone.account })).outcome, 'no-device');
  }
});
