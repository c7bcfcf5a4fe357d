import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { it } from 'node:test';
import { createPhone, type PhoneStep } from '../../src/sandbox/phone.ts';
import { BUNDLE_ID, startAppleFixture, TOKEN } from './apple-fixture.ts';
import { PROJECT_ID, startGoogleFixture } from './google-fixture.ts';
import { ask, until } from './raw-http2.ts';

const KEY = '0123456789abcdef0123456789abcdef';

it("a push through Apple's and Google's stand-ins makes the phone of each answer", async (t) => {
  const apple = await startAppleFixture();
  t.after(() => apple.close());
  const google = await startGoogleFixture();
  t.after(() => google.close());
  const bodies: string[] = [];
  const service = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    response.writeHead(202).end('""');
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  t.after(() => service.close());
  const address = service.address();
  const server = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const steps: PhoneStep[] = [];
  const common = {
    account: 123456789,
    app: BUNDLE_ID,
    server,
    authorization: 'Token a:b',
    wakeUpMs: 1,
    onStep: (step: PhoneStep) => steps.push(step),
  };
  const iphone = createPhone({ ...common, kind: 'ios', token: TOKEN });
  iphone.listen(apple.apple);
  t.after(() => iphone.close());
  const android = createPhone({ ...common, kind: 'android', token: 'fcm' });
  android.listen(google.google);
  t.after(() => android.close());

  const fields = { type: 'call', unique_key: KEY, phonenumber: '050', response_api: `${server}/x/` };
  const start = 1574950000.1234567;
  const payload = JSON.stringify({ aps: {}, ...fields, message_start_time: start });
  const pushed = await ask(apple.connect(), apple.headers(await apple.jwt()), payload);
  assert.equal(pushed.status, 200);
  const data = { ...fields, vg_cid: KEY, message_start_time: start.toFixed(7) };
  const sent = await google.send(`Bearer ${await google.accessToken()}`, { message: { token: 'fcm', data } });
  assert.match(sent.body, new RegExp(PROJECT_ID));
  await until(() => bodies.length === 2, 'both answers');
  await until(() => steps.filter(({ kind }) => kind === 'answered').length === 2, 'both ends');
  assert.ok(bodies.some((body) => body.startsWith('{') && JSON.parse(body).message_start_time === start));
  assert.ok(bodies.some((body) => body.includes(`message_start_time=${start.toFixed(7)}`)));
});
