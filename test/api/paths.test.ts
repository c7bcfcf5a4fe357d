import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestService } from '../helpers/test-service.ts';
import { asForm, send } from './http-client.ts';

const KNOWN = [
  'incoming-call',
  'call-cancelled',
  'call-response',
  'apns-device',
  'gcm-device',
  'android-device',
];
const REPORTS = ['hangup-reason', 'log-metrics', 'check-in'];

it('paths', async (t) => {
  const service = await startTestService(t);
  const post = (path: string) => send(service.url, { path, ...asForm({}) });

  await t.test('every endpoint answers without its slash, with it, and with anything behind it', async () => {
    for (const name of [...KNOWN, ...REPORTS]) {
      for (const path of ['', '/', '/x', '//', '/api/call-response/', '/?a=b', `/${'long'.repeat(1000)}`]) {
        const answer = await post(`/api/${name}${path}`);
        assert.ok([400, 401].includes(answer.status), `${name}${path}: ${answer.status}`);
        assert.equal(answer.headers.location, undefined);
      }
    }
  });

  await t.test('extra slashes anywhere are one, the query stays as it is', async () => {
    for (const name of [...KNOWN, ...REPORTS]) {
      for (const path of [`//api/${name}/`, `/api//${name}/`, `///api///${name}`, `//api/${name}///?a=//b`]) {
        const answer = await post(path);
        assert.ok([400, 401].includes(answer.status), `${path}: ${answer.status}`);
      }
    }
    for (const path of ['//healthz', '///readyz', '//openapi.json']) {
      assert.equal((await send(service.url, { method: 'GET', path })).status, 200, path);
    }
    const phone = await service.phone();
    const call = asForm({ sip_user_id: String(phone.account) });
    const ready = await send(service.url, { path: '//api//incoming-call/', ...call });
    assert.equal(ready.body, 'status=ACK');
    const token = { sip_user_id: String(phone.account), token: 'a//b/../c', app: 'x' };
    const query = `//api/android-device?${new URLSearchParams(token)}`;
    const removed = await send(service.url, { method: 'DELETE', path: query });
    assert.equal(removed.status, 401, 'a query may hold what a path may not');
  });

  await t.test('a target with scheme and host is its path', async () => {
    for (const path of ['http://other/api/check-in/', 'HTTPS://other:1//api//check-in']) {
      assert.equal((await post(path)).status, 401, path);
    }
    for (const path of [
      'http://other',
      'http://other?x=/api/check-in/',
      'http://other/api/../api/check-in/',
    ]) {
      assert.equal((await post(path)).status, 404, path);
    }
  });

  await t.test('dot segments and slashes in disguise lead nowhere, at every endpoint', async () => {
    const tricks = [
      '..',
      '.',
      '../',
      './',
      '../call-response/',
      'x/../../call-response/',
      '%2e%2e/call-response/',
      '.%2e/call-response/',
      '%2E./call-response/',
      '%2e/',
      '..;/call-response/',
      '..;x=1/call-response/',
      '%2e%2e%3b/call-response/',
      '..%2fcall-response/',
      '%2e%2e%2Fcall-response/',
      'x%2f..%2f..%2fcall-response/',
      '..\\call-response/',
      '..%5ccall-response/',
      'x%5C',
      'x%2F',
      '%252e%252e/call-response/',
      '%25252e%2525252e/call-response/',
      '..%252fcall-response/',
      '/../call-response/',
      '#/../call-response/',
      '%2e%2e/%zz',
    ];
    for (const name of [...KNOWN, ...REPORTS]) {
      for (const trick of tricks) {
        const answer = await post(`/api/${name}/${trick}`);
        assert.deepEqual([answer.status, answer.contentType], [404, 'text/html'], `${name}/${trick}`);
      }
    }
    for (const path of ['/./api/check-in/', '/api/./check-in/', '/x/../api/check-in/', '/../api/check-in/']) {
      assert.equal((await post(path)).status, 404, path);
    }
    for (const path of [
      '/api/%69ncoming-call/',
      '/%61pi/check-in/',
      '/api/check%2Din/',
      '/api/check-in/%41',
    ]) {
      assert.equal((await post(path)).status, 404, path);
    }
    const dotted = await post('/api/check-in/x.y/a..b');
    assert.equal(dotted.status, 401, 'dots inside a segment are none of it');
  });

  await t.test('anything else is 404 with a page', async () => {
    const paths = [
      '/',
      '/api',
      '/api/',
      '/api/nothing/',
      '/API/call-response/',
      '/api/Call-Response/',
      '/api/call-responses/',
      '/api/call-response.json',
      '/api/call-response%2F',
      '/incoming-call/',
      '/api/device/',
      '/api/ios-device/',
      '/api/v1/incoming-call/',
      '/healthz/x',
      '/readyz/x',
      '/metrics',
      '/admin/',
      '/favicon.ico',
      `/${'x'.repeat(5000)}`,
    ];
    for (const path of paths) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await send(service.url, { method, path });
        assert.deepEqual([answer.status, answer.contentType], [404, 'text/html'], `${method} ${path}`);
        assert.equal(
          answer.body,
          '<h1>Not Found</h1><p>The requested URL was not found on this server.</p>',
          'the page never repeats what was asked',
        );
      }
    }
  });

  await t.test('a broken percent escape is 400, not a crash', async () => {
    for (const path of ['/%', '/%zz', '/api/call-response/%', '/api/call-response/%ff%fe', '/api/%c0%af/']) {
      const answer = await post(path);
      assert.deepEqual([answer.status, answer.contentType], [400, 'application/json'], path);
      assert.equal(answer.body, '{"detail":"Malformed request."}');
    }
    const pbx = await post('/api/incoming-call/%zz');
    assert.deepEqual([pbx.status, pbx.contentType], [400, 'text/plain; charset=utf-8']);
  });
});
