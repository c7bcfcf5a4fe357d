import assert from 'node:assert/strict';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import { askPbx, cancelPbxCall } from '../../src/sandbox/pbx.ts';
import { until } from './raw-http2.ts';

describe('the simulated PBX', () => {
  let asked: {
    path: string | undefined;
    type: string | undefined;
    authorization: string | undefined;
    body: string;
  };
  let reply: (request: IncomingMessage, response: ServerResponse) => void;
  const ack = (_request: IncomingMessage, response: ServerResponse): void => {
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-wake-outcome': 'ready' };
    response.writeHead(200, headers).end('status=ACK');
  };
  let connections = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { 'content-type': type, authorization } = request.headers;
    asked = { path: request.url, type, authorization, body };
    reply(request, response);
  });
  let url: string;
  before(async () => {
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });
  afterEach(() => {
    reply = ack;
  });
  after(() => new Promise((resolve) => server.close(resolve)));

  it('asks with a form and reads status, body, outcome and content type', async () => {
    reply = ack;
    const answer = await askPbx({
      url,
      account: 123456789,
      phoneNumber: '+31 50',
      callerId: 'A B',
      callId: 'c1',
      token: 'secret',
    });
    assert.deepEqual(
      { ...answer, tookMs: undefined },
      {
        status: 200,
        body: 'status=ACK',
        outcome: 'ready',
        contentType: 'text/plain; charset=utf-8',
        tookMs: undefined,
      },
    );
    assert.ok(answer.tookMs > 0);
    assert.deepEqual(asked, {
      path: '/api/incoming-call/',
      type: 'application/x-www-form-urlencoded',
      authorization: 'Bearer secret',
      body: 'sip_user_id=123456789&phonenumber=%2B31+50&caller_id=A+B&call_id=c1',
    });
  });

  it('asks with JSON when told so', async () => {
    await askPbx({ url, account: 123456789, phoneNumber: '050', format: 'json' });
    assert.equal(asked.type, 'application/json');
    assert.deepEqual(JSON.parse(asked.body), { sip_user_id: '123456789', phonenumber: '050' });
  });

  it('hangs up when aborted', async () => {
    let hungUp = false;
    let arrived = false;
    reply = (request, response) => {
      arrived = true;
      assert.equal(request.complete, true);
      response.on('close', () => {
        hungUp = true;
      });
    };
    const hangUp = new AbortController();
    const call = askPbx({ url, account: 1, phoneNumber: '050', signal: hangUp.signal });
    await until(() => arrived, 'the request');
    hangUp.abort();
    await assert.rejects(call, { name: 'AbortError' });
    await until(() => hungUp, 'the end of the connection');
  });

  it('gives up past its time-out', async () => {
    reply = () => undefined;
    await assert.rejects(askPbx({ url, account: 1, phoneNumber: '050', timeoutMs: 50 }), /50 ms/);
  });

  it('says that a call is over', async () => {
    const answer = await cancelPbxCall({ url, callId: 'c1', reason: 'answered elsewhere' });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      [asked.path, asked.body],
      ['/api/call-cancelled/', 'call_id=c1&reason=answered+elsewhere'],
    );
  });

  it('shares connections through an agent', async () => {
    const agent = new Agent({ keepAlive: true });
    const before = connections;
    for (let index = 0; index < 5; index += 1) await askPbx({ url, account: 1, phoneNumber: '050', agent });
    agent.destroy();
    assert.equal(connections - before, 1);
  });
});
