import assert from 'node:assert/strict';
import { it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { until } from '../../harness/until.ts';
import { startTestService } from '../helpers/test-service.ts';
import { connectTo, createTlsFolder } from '../tls/tls-service.ts';
import { send } from './http-client.ts';
import { type Exchange, exchange, openSocket, rawRequest, readAnswers } from './raw-socket.ts';

const PBX = '/api/incoming-call/';
const APP = '/api/check-in/';

/** Requests that are no proper HTTP, by what is wrong; the endpoint's kind decides how it is answered. */
function faults(path: string): readonly (readonly [string, number, string | Buffer])[] {
  const start = `POST ${path} HTTP/1.1\r\n`;
  const host = 'Host: service\r\n';
  return [
    ['two Host headers', 400, `${start}${host}hOsT: other\r\nContent-Length: 0\r\n\r\n`],
    ['two hosts in one', 400, `${start}Host: service, other\r\nContent-Length: 0\r\n\r\n`],
    ['two hosts with a blank', 400, `${start}Host: service other\r\nContent-Length: 0\r\n\r\n`],
    ['the same Host twice', 400, `${start}${host}${host}Content-Length: 0\r\n\r\n`],
    ['no Host', 400, `${start}Content-Length: 0\r\n\r\n`],
    ['two lengths', 400, `${start}${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    [
      'length and chunks',
      400,
      `${start}${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['another coding', 400, `${start}${host}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n`],
    ['a negative length', 400, `${start}${host}Content-Length: -1\r\n\r\n`],
    ['a space before the colon', 400, `${start}${host}X : y\r\n\r\n`],
    ['a folded header', 400, `${start}${host}X: y\r\n z\r\nContent-Length: 0\r\n\r\n`],
    ['a control character', 400, `${start}${host}X: \x01\r\n\r\n`],
    ['an unknown version', 400, `POST ${path} HTTP/7.3\r\n${host}\r\n`],
    ['a method of nobody', 400, `FOO ${path} HTTP/1.1\r\n${host}\r\n`],
    ['headers without end', 431, `${start}${host}X: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['another expectation', 417, `${start}${host}Expect: a-miracle\r\nContent-Length: 0\r\n\r\n`],
    ['a body over the limit', 413, `${start}${host}Content-Length: 70000\r\n\r\n`],
    [
      'a broken escape',
      400,
      `POST ${path}/%zz HTTP/1.1\r\n${host}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    ],
    [
      'a type that is none',
      415,
      Buffer.from(
        `${start}${host}Authorization: x\r\nContent-Type: \u00e9/\u00e9;;=\r\nContent-Length: 2\r\n\r\n{}`,
        'latin1',
      ),
    ],
    [
      'a multipart body that is none',
      400,
      Buffer.from(
        `${start}${host}Authorization: x\r\nContent-Type: multipart/form-data; boundary=\u00e9\r\nContent-Length: 2\r\n\r\n{}`,
        'latin1',
      ),
    ],
    [
      'JSON that is none',
      400,
      `${start}${host}Authorization: x\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{`,
    ],
  ];
}

/** What no body may give away, or be taken for. */
const FOREIGN = /statusCode|FST_|HPE_|"error"|"message"|\wError|node_modules|fastify|status=ACK/i;

function assertOurs({ text }: Exchange, path: string, status: number, what: string): void {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), `${what}: ${text}`);
  assert.doesNotMatch(text, FOREIGN, what);
  const type = /^content-type: (.*)$/im.exec(head)?.[1];
  if (path === PBX) {
    assert.equal(type, 'text/plain; charset=utf-8', what);
    assert.match(body, /^[A-Z][\w ,:"/.-]+$/, what);
  } else {
    assert.equal(type, 'application/json', what);
    assert.match(body, /^\{"detail":"[A-Z].*"\}$/, what);
  }
}

it('what is no proper HTTP is answered in our own words, as the endpoint answers', async (t) => {
  const service = await startTestService(t);
  for (const path of [PBX, '/api/call-cancelled', APP, '/api/call-response/', '/api/android-device/']) {
    const kind = path.includes('call-cancelled') ? PBX : path === PBX ? PBX : APP;
    for (const [what, status, bytes] of faults(path)) {
      const answer = await exchange(service.url, bytes, { answers: 1 });
      assertOurs(answer, kind, status, `${path}: ${what}`);
    }
    const endpoint = /^\/api\/([a-z-]+)/.exec(path)?.[1];
    const counted = (field: string) =>
      service.metric(`vialer_middleware_requests_invalid_total{endpoint="${endpoint}",field="${field}"}`);
    const all = (await counted('request')) + (await counted('body'));
    // What breaks off in the middle of its body may be counted by its body and by its bytes.
    assert.ok(all >= faults(path).length, `${endpoint}: ${all}`);
  }
  const lines = service.logged.filter(({ fields }) => fields['field'] === 'request');
  assert.ok(lines.length > 0, 'they are in the log');
});

it('the PROXY protocol of a load balancer is named, to it and in the log', async (t) => {
  const service = await startTestService(t);
  const request = rawRequest('POST', PBX, ['Connection: close'], 'sip_user_id=100000001');
  const second = Buffer.from('0d0a0d0a000d0a515549540a2111000c7f0000017f000001d4311f90', 'hex');
  for (const header of [Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 54321 8080\r\n'), second]) {
    const answer = await exchange(service.url, Buffer.concat([header, Buffer.from(request)]));
    assertOurs(answer, APP, 400, 'PROXY');
    assert.match(answer.text, /The PROXY protocol is not spoken here/);
    assert.ok(answer.closed);
  }
  const lines = service.logged.filter(({ fields }) => /PROXY protocol/.test(String(fields['problem'])));
  assert.equal(lines.length, 2);
  for (const { fields } of lines) {
    assert.deepEqual([fields['endpoint'], fields['field']], ['other', 'request']);
    assert.match(String(fields['problem']), /switch it off in the load balancer/);
  }
});

it('a compressed body is refused with 415, which names the coding; identity is accepted', async (t) => {
  const service = await startTestService(t);
  const form = 'sip_user_id=100000001';
  for (const [coding, body] of [
    ['gzip', gzipSync(form)],
    ['deflate', deflateSync(form)],
    ['x-unknown', Buffer.from(form)],
  ] as const) {
    for (const path of [PBX, APP, '/api/call-response/']) {
      const { status, body: said } = await send(service.url, {
        path,
        type: 'application/x-www-form-urlencoded',
        body,
        headers: { 'content-encoding': coding, authorization: 'Token x:y' },
      });
      assert.equal(status, 415, `${path} ${coding}`);
      assert.match(said, /Unsupported Content-Encoding in request: send the body as it is\./);
    }
  }
  assert.ok(service.logged.some(({ fields }) => fields['problem'] === 'Content-Encoding'));
  const plain = { path: PBX, type: 'application/x-www-form-urlencoded', body: form };
  const answer = await send(service.url, { ...plain, headers: { 'content-encoding': 'Identity' } });
  assert.equal(answer.body, 'status=NAK');
});

it('the same over TLS', async (t) => {
  const folder = await createTlsFolder(t);
  const service = await startTestService(t, { settings: folder.settings });
  for (const path of [PBX, APP]) {
    for (const [what, status, bytes] of faults(path)) {
      const socket = await connectTo(service.url, { ca: folder.ca });
      socket.on('error', () => {});
      const reading = readAnswers(socket, { answers: 1 });
      socket.write(bytes);
      // Two records of TLS: the second does not say for which endpoint it is.
      assertOurs(await reading, status === 431 ? APP : path, status, what);
    }
  }
});

it('where no endpoint is known, nothing of the framework shows either', async (t) => {
  const service = await startTestService(t);
  const rows = [
    'hello\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n',
    'GET /nowhere HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    rawRequest('PROPFIND', APP, ['Connection: close']),
    rawRequest('PROPFIND', PBX, ['Connection: close'], 'x'),
    rawRequest('QUERY', APP, ['Connection: close']),
    rawRequest('QUERY', PBX, ['Connection: close']),
    rawRequest('TRACE', PBX, ['Connection: close']),
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /${'x/'.repeat(5_000)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n',
    'CONNECT example.org:443 HTTP/1.0\r\n\r\n\x16\x03\x01',
    'DESCRIBE rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n',
    'SOURCE /live ICE/1.0\r\n\r\n',
    'SOURCE /live HTTP/1.0\r\n\r\n',
    'INVITE sip:a@b SIP/2.0\r\n\r\n',
    'GET http://b/ HTTP/1.1\r\nHost: b\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n',
    'POST /%ff%fe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  ];
  for (const bytes of rows) {
    const { text } = await exchange(service.url, bytes, { half: true });
    assert.match(text, /^HTTP\/1\.1 4\d\d /, bytes);
    assert.doesNotMatch(text, FOREIGN, bytes);
    const body = text.split('\r\n\r\n')[1] ?? '';
    assert.notEqual(body, '', bytes);
  }
});

it('the metrics port has our own words, too', async (t) => {
  const service = await startTestService(t);
  const rows = [
    ['GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404],
    ['POST /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', 404],
    ['GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    [
      'POST /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: x\r\nContent-Length: 1\r\n\r\nx',
      415,
    ],
    ['nonsense\r\n\r\n', 400],
    ['GET /metrics HTTP/1.1\r\n\r\n', 400],
    ['GET /metrics HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n', 400],
    ['GET /metrics HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 400],
    ['GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n', 417],
    ['GET /healthz HTTP/1.0\r\n\r\n', 200],
    [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ] as const;
  for (const [bytes, status] of rows) {
    const { text } = await exchange(service.running.metricsUrl, bytes, { half: true });
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), bytes);
  }
});

it('HTTP/1.0 needs no Host, and 100-continue is met', async (t) => {
  const service = await startTestService(t);
  const old = await exchange(service.url, `POST ${APP} HTTP/1.0\r\nContent-Length: 0\r\n\r\n`);
  assert.match(old.text, /^HTTP\/1\.1 401 /);
  const expecting = rawRequest('POST', APP, ['Expect: 100-continue', 'Connection: close'], 'x=y');
  const met = await exchange(service.url, expecting);
  assert.match(met.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 401 /);
});

it('a fault behind a call that waits, or behind several requests, costs none of their answers', async (t) => {
  const service = await startTestService(t);
  const phone = await service.phone({ wakeUpMs: 50 });
  const form = ['Content-Type: application/x-www-form-urlencoded'];
  const call = rawRequest('POST', PBX, form, `sip_user_id=${phone.account}&phonenumber=020`);
  for (const fault of [
    'nonsense\r\n\r\n',
    `POST ${PBX} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n`,
  ]) {
    const pushes = phone.pushes();
    const socket = await openSocket(service.url);
    const reading = readAnswers(socket);
    socket.write(call + rawRequest('GET', '/healthz') + fault);
    // What follows is not looked at, however much it is.
    await until(() => phone.pushes() > pushes, 'the phone is woken');
    socket.write('more\r\n\r\n');
    assert.deepEqual((await reading).statuses, [200, 200, 400], fault);
  }
});

it('a fault behind a request does not cost the answer to that request', async (t) => {
  const service = await startTestService(t);
  const first = rawRequest('GET', '/healthz');
  const answer = await exchange(service.url, `${first}nonsense\r\n\r\n`);
  assert.match(answer.text, /^HTTP\/1\.1 200 OK[\s\S]*\{"status":"alive"\}HTTP\/1\.1 400 Bad Request/);
});
