import assert from 'node:assert/strict';
import { it } from 'node:test';
import Fastify, { type FastifyError } from 'fastify';
import { answerError, answerNotFound } from '../../src/http/wire/answer-error.ts';

class StorageDown extends Error {}

/** What a route answers that fails, and what was reported of it. */
async function answerTo(url: string, error: Error) {
  const reported: string[] = [];
  const server = Fastify();
  const events = {
    requestInvalid: ({ field, problem }: { field: string; problem: string }) =>
      reported.push(`${field}: ${problem}`),
    requestFailed: () => reported.push('failed'),
    storageFailed: ({ during }: { during: string }) => reported.push(during),
  };
  const parts = { isStorageError: (failure: unknown) => failure instanceof StorageDown, events };
  server.setErrorHandler<FastifyError>((failure, request, reply) =>
    answerError(parts, failure, request, reply),
  );
  server.setNotFoundHandler(answerNotFound);
  for (const path of ['/api/incoming-call/', '/api/apns-device/'])
    server.post(path, async () => Promise.reject(error));
  const { statusCode, body, headers } = await server.inject({ method: 'POST', url });
  return { statusCode, body, type: headers['content-type'], reported };
}
const PBX = '/api/incoming-call/';
const APP = '/api/apns-device/';

it('a PBX whose call meets a fault hears NAK, and an app hears why in JSON', async () => {
  for (const [error, status] of [
    [new StorageDown('secret'), 503],
    [new Error('secret'), 500],
  ] as const) {
    const pbx = await answerTo(PBX, error);
    assert.deepEqual([pbx.statusCode, pbx.body], [status, 'status=NAK']);
    const app = await answerTo(APP, error);
    assert.equal(app.statusCode, status);
    assert.doesNotMatch(app.body, /secret/);
    const { detail } = JSON.parse(app.body);
    assert.equal(
      detail,
      status === 500 ? 'Internal server error.' : 'Service temporarily unavailable, try again later.',
    );
  }
});

it('a fault of the client keeps its status, with a sentence of its own for each', async () => {
  const withStatus = (statusCode: number) => Object.assign(new Error('secret'), { statusCode, code: 'CODE' });
  for (const [status, sentence] of [
    [400, 'Malformed request.'],
    [408, 'The request was not sent in time.'],
    [413, 'The body is longer than 65536 bytes.'],
    [415, 'Unsupported media type "" in request.'],
    [417, 'No expectation but 100-continue is met.'],
    [431, 'The headers of the request are too long.'],
    [499, 'Malformed request.'],
  ] as const) {
    const pbx = await answerTo(PBX, withStatus(status));
    assert.deepEqual([pbx.statusCode, pbx.body, pbx.reported], [status, sentence, ['request: CODE']]);
    const app = await answerTo(APP, withStatus(status));
    assert.deepEqual([app.statusCode, JSON.parse(app.body)], [status, { detail: sentence }]);
  }
  assert.equal((await answerTo(APP, withStatus(399))).statusCode, 500);
  const unnamed = Object.assign(new Error('secret'), { statusCode: 400 });
  assert.deepEqual((await answerTo(APP, unnamed)).reported, ['request: unreadable']);
});

it('each fault is reported with the endpoint that met it', async () => {
  assert.deepEqual((await answerTo(PBX, new Error('bug'))).reported, ['failed']);
  const { reported } = await answerTo(PBX, new StorageDown('away'));
  assert.match(reported.join(), /^answering .*incoming-call/);
});

it('a path that leads nowhere is not repeated', async () => {
  const { statusCode, body, type } = await answerTo('/api/<script>/', new Error('unused'));
  assert.equal(statusCode, 404);
  assert.equal(type, 'text/html');
  assert.match(body, /Not Found/);
  assert.doesNotMatch(body, /script/);
});
