import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('paths', async (t) => {
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

  await t.test('anything else is 404 with a page', async () => {
    const paths = [
      '/',
      '/api',
      '/api/',
      '/api/nothing/',
      '//api/call-response/',
      '/api//call-response/',
      '/API/call-response/',
      '/api/Call-Response/',
      '/api/call-responses/',
      '/api/call-response.json',
      '/api/call-response%2F',
      '/incoming-call/',
      '/api/device/',
      '/api/ios-device/',
      '/api/v1/incoming-call/',
      '/healthz/',
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
