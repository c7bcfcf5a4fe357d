import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestService } from '../helpers/test-service.ts';
import { send } from './http-client.ts';

const MALFORMED = '{"detail":"Malformed request."}';

it('a body of another type is told back in the answer, at most 200 characters of it', async (t) => {
  const service = await startTestService(t);
  const rows: readonly (readonly [string | undefined, string])[] = [
    ['text/plain', 'text/plain'],
    ['Text/HTML; Charset=utf-8', 'Text/HTML; Charset=utf-8'],
    ['application/jsonx', 'application/jsonx'],
    ['nonsense', 'nonsense'],
    [';', ';'],
    ['a/b"c', 'a/b"c'],
    [`text/${'x'.repeat(300)}`, `text/${'x'.repeat(195)}`],
    [undefined, ''],
  ];
  for (const [type, told] of rows) {
    const answer = await send(service.url, { path: '/api/call-response/', type, body: 'unique_key=k' });
    const detail = JSON.stringify({ detail: `Unsupported media type "${told}" in request.` });
    assert.deepEqual([answer.status, answer.contentType, answer.body], [415, 'application/json', detail]);
  }
});

it('no body is the same as no fields, whatever the Content-Type says', async (t) => {
  const service = await startTestService(t);
  for (const type of [undefined, 'nonsense', 'text/plain', 'application/json', 'multipart/form-data']) {
    for (const body of [undefined, '']) {
      const answer = await send(service.url, { path: '/api/call-response/', type, body });
      assert.deepEqual([answer.status, answer.body], [400, MALFORMED], type);
      assert.equal(answer.headers['x-invalid-field'], 'unique_key', type);
    }
  }
});

it('the media type is read without its parameters and letter case, and the body may be chunked', async (t) => {
  const service = await startTestService(t);
  const json = '{"unique_key":"k","message_start_time":1}';
  const form = 'unique_key=k&message_start_time=1';
  const rows: readonly (readonly [string, string])[] = [
    ['application/json; charset=UTF-8', json],
    ['APPLICATION/JSON', json],
    ['application/*', json],
    ['*/*', json],
    ['application/x-www-form-urlencoded; charset=latin1', form],
    ['Application/X-WWW-Form-Urlencoded', form],
  ];
  for (const [type, body] of rows) {
    for (const chunked of [false, true]) {
      const answer = await send(service.url, { path: '/api/call-response/', type, body, chunked });
      assert.deepEqual([answer.status, answer.body], [404, '""'], type);
    }
  }
});

it('64 KiB are taken and one byte more is not, however the length is told', async (t) => {
  const service = await startTestService(t);
  const bodyOf = (bytes: number) => {
    const start = '{"message_start_time":1,"unique_key":"k","pad":"';
    return `${start}${'p'.repeat(bytes - start.length - 2)}"}`;
  };
  for (const chunked of [false, true]) {
    for (const [path, type] of [
      ['/api/call-response/', 'application/json'],
      ['/api/incoming-call/', 'text/plain; charset=utf-8'],
    ] as const) {
      const most = await send(service.url, { path, type: 'application/json', body: bodyOf(65_536), chunked });
      assert.notEqual(most.status, 413);
      const over = await send(service.url, { path, type: 'application/json', body: bodyOf(65_537), chunked });
      assert.deepEqual([over.status, over.contentType], [413, type]);
      assert.ok(over.body.includes('The body is longer than 65536 bytes.'));
    }
  }
});
