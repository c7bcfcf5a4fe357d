import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type AppleFixture, startAppleFixture, TOKEN } from './apple-fixture.ts';
import { ask, type RawEnding, until } from './raw-http2.ts';

const PAYLOAD = JSON.stringify({ aps: {} });
const OTHER_TOKEN = 'cd'.repeat(32);
/** Long enough to tell that nothing comes, for a peer on loopback. */
const QUIET_MS = 150;

describe('scripted faults', () => {
  let fixture: AppleFixture;
  let authorization: string;
  beforeEach(async () => {
    fixture = await startAppleFixture();
    authorization = await fixture.jwt();
  });
  afterEach(() => fixture.close());

  const push = (session = fixture.connect(), token = TOKEN): Promise<RawEnding> =>
    ask(session, { ...fixture.headers(authorization), ':path': `/3/device/${token}` }, PAYLOAD);

  /** What has ended of `waiting` after a while in which it would have. */
  const quiet = (waiting: Promise<unknown>): Promise<unknown> =>
    Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, QUIET_MS, 'quiet'))]);

  const ping = (session: ReturnType<AppleFixture['connect']>): Promise<string> =>
    new Promise((resolve) => {
      session.ping((error) => resolve(error === null ? 'pong' : 'lost'));
    });

  it('delay: the answer comes late, and the push is delivered', async () => {
    fixture.apple.script({ kind: 'delay', ms: 80 }, { times: 1 });
    const started = performance.now();
    assert.equal((await push()).status, 200);
    assert.ok(performance.now() - started >= 75);
    assert.equal(fixture.apple.received.count(), 1);
  });

  it('slow-headers: interim headers come before the answer', async () => {
    fixture.apple.script({ kind: 'slow-headers', ms: 50 });
    const session = fixture.connect();
    const interim: unknown[] = [];
    session.on('stream', () => undefined);
    const stream = session.request({ ':method': 'POST', ...fixture.headers(authorization) });
    stream.on('headers', (headers) => interim.push(headers[':status']));
    const status = new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    stream.resume().end(PAYLOAD);
    assert.equal(await status, 200);
    assert.deepEqual(interim, [103]);
  });

  it('slow-body: the headers come first', async () => {
    fixture.apple.script({ kind: 'slow-body', ms: 80 });
    const stream = fixture.connect().request({ ':method': 'POST', ...fixture.headers(authorization) });
    const times: number[] = [];
    stream.on('response', () => times.push(performance.now()));
    const ended = new Promise((resolve) => stream.on('close', resolve));
    stream.resume().end(PAYLOAD);
    await ended;
    assert.ok(performance.now() - (times[0] ?? 0) >= 60);
  });

  it('answer: any status and reason, with timestamp and retry-after', async () => {
    const timestamp = 1_700_000_000_000;
    fixture.apple.script({
      kind: 'answer',
      status: 429,
      reason: 'TooManyRequests',
      timestamp,
      retryAfter: '7',
    });
    const ending = await push();
    assert.deepEqual([ending.status, ending.headers['retry-after']], [429, '7']);
    assert.deepEqual(JSON.parse(ending.body), { reason: 'TooManyRequests', timestamp });
    assert.equal(fixture.apple.received.count(), 0);
  });

  it('answer: a body that is not JSON', async () => {
    fixture.apple.script({ kind: 'answer', status: 502, body: '<html>' });
    assert.equal((await push()).body, '<html>');
  });

  it('oversized: a body of as many bytes as told', async () => {
    fixture.apple.script({ kind: 'oversized', status: 500, bytes: 300_000 });
    assert.equal((await push()).body.length, 300_000);
  });

  it('stream-limit: the connection allows fewer streams from then on', async () => {
    const session = fixture.connect();
    await push(session);
    await until(() => session.remoteSettings.maxConcurrentStreams === 1000, 'the raised limit');
    fixture.apple.script({ kind: 'stream-limit', streams: 1 }, { times: 1 });
    assert.equal((await push(session)).status, 200);
    await until(() => session.remoteSettings.maxConcurrentStreams === 1, 'the lowered limit');
  });

  it('hang: no answer, while the connection serves others', async () => {
    const session = fixture.connect();
    await push(session);
    await until(() => session.remoteSettings.maxConcurrentStreams === 1000, 'the raised limit');
    fixture.apple.script({ kind: 'hang' }, { token: TOKEN });
    const hanging = push(session);
    assert.equal((await push(session, OTHER_TOKEN)).status, 200);
    assert.equal(await ping(session), 'pong');
    assert.equal(await quiet(hanging), 'quiet');
    assert.equal(fixture.apple.received.count(), 2);
  });

  it('delivered: the push reaches the phone although no answer reaches its sender', async () => {
    fixture.apple.script({ kind: 'disconnect' }, { delivered: true });
    assert.equal((await push()).status, 0);
    await until(() => fixture.apple.received.count() === 1, 'the delivery');
  });

  it('reset and refuse: the stream ends with that code, the connection lives', async () => {
    const session = fixture.connect();
    fixture.apple.script({ kind: 'reset', code: constants.NGHTTP2_ENHANCE_YOUR_CALM }, { times: 1 });
    fixture.apple.script({ kind: 'refuse' }, { times: 1 });
    assert.equal((await push(session)).code, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    assert.equal((await push(session)).code, constants.NGHTTP2_REFUSED_STREAM);
    assert.equal((await push(session)).status, 200);
    assert.equal(fixture.apple.received.count(), 1);
  });

  it('disconnect: the connection is gone, a new one is served', async () => {
    fixture.apple.script({ kind: 'disconnect' }, { times: 1 });
    const session = fixture.connect();
    assert.equal((await push(session)).status, 0);
    await until(() => session.destroyed, 'the end of the session');
    assert.equal((await push()).status, 200);
    assert.equal(fixture.apple.accepted(), 2);
  });

  it('goaway: a processed stream is answered, and the reason is in the debug data', async () => {
    fixture.apple.script({ kind: 'goaway', processed: true, reason: 'Shutdown' });
    const session = fixture.connect();
    const goaway = new Promise<unknown[]>((resolve) => {
      session.on('goaway', (code, last, data) => resolve([code, last, JSON.parse(String(data))]));
    });
    assert.equal((await push(session)).status, 200);
    assert.deepEqual(await goaway, [0, 1, { reason: 'Shutdown' }]);
    assert.equal(fixture.apple.received.count(), 1);
  });

  it('goaway: an unprocessed stream is above the last id and ends as refused', async () => {
    const session = fixture.connect();
    await push(session);
    fixture.apple.script({ kind: 'goaway', processed: false, reason: 'Shutdown' }, { times: 1 });
    const lasts: number[] = [];
    session.on('goaway', (_code, last) => lasts.push(last));
    const ending = await push(session);
    assert.deepEqual([ending.status, ending.code], [0, constants.NGHTTP2_REFUSED_STREAM]);
    assert.deepEqual(lasts, [1]);
    assert.equal(fixture.apple.received.count(), 1);
  });

  it('garbage: the client sees a broken connection', async () => {
    fixture.apple.script({ kind: 'garbage' }, { times: 1 });
    const session = fixture.connect();
    assert.equal((await push(session)).status, 0);
    await until(() => session.destroyed, 'the end of the session');
  });

  it('mute: no answer and no PING comes back, while new connections are served', async () => {
    const session = fixture.connect();
    assert.equal((await push(session)).status, 200);
    fixture.apple.script({ kind: 'mute', fresh: 'healthy' }, { times: 1 });
    const waiting = push(session);
    await until(() => fixture.apple.requests.count() === 2, 'the arrival');
    assert.equal(await quiet(Promise.race([waiting, ping(session)])), 'quiet');
    assert.equal(session.destroyed, false);
    assert.equal((await push()).status, 200);
  });

  it('silence: every connection goes mute, new ones as told, until restored', async () => {
    const session = fixture.connect();
    assert.equal((await push(session)).status, 200);
    fixture.apple.silence('mute');
    const before = fixture.apple.accepted();
    const fresh = fixture.connect();
    await until(() => fixture.apple.accepted() > before, 'the new connection');
    assert.equal(await quiet(Promise.race([ping(session), push(fresh)])), 'quiet');
    fixture.apple.silence('reset');
    assert.equal((await push()).status, 0);
    fixture.apple.restore();
    assert.equal(await quiet(ping(session)), 'quiet');
    assert.equal((await push()).status, 200);
  });

  it('disconnectAll: ends every connection', async () => {
    const sessions = [fixture.connect(), fixture.connect()];
    await Promise.all(sessions.map((session) => push(session)));
    fixture.apple.disconnectAll();
    await until(() => sessions.every(({ destroyed }) => destroyed), 'the end of the sessions');
    await until(() => fixture.apple.sessions() === 0, 'the end on the other side');
  });

  it('hits the named token first, so many times, in the order of writing; clearFaults ends all', async () => {
    const session = fixture.connect();
    const answer = (status: number) => ({ kind: 'answer', status, reason: 'X' }) as const;
    fixture.apple.script(answer(500), { times: 2 });
    fixture.apple.script(answer(410), { token: TOKEN, times: 1 });
    fixture.apple.script(answer(503));
    const statuses: number[] = [];
    for (let index = 0; index < 5; index += 1) statuses.push((await push(session)).status);
    fixture.apple.clearFaults();
    statuses.push((await push(session)).status);
    assert.deepEqual(statuses, [410, 500, 500, 503, 503, 200]);
    assert.deepEqual(
      fixture.apple.requests.list().map(({ ending }) => ending),
      ['answer', 'answer', 'answer', 'answer', 'answer', 'accepted'],
    );
  });

  it('close ends mute, hanging and half-open connections', async () => {
    const own = await startAppleFixture();
    own.apple.script({ kind: 'hang' });
    const hanging = ask(own.connect(), own.headers(await own.jwt()), PAYLOAD);
    const raw = connect(Number(new URL(own.apple.origin).port), '127.0.0.1');
    raw.on('error', () => undefined);
    await until(() => own.apple.requests.count() === 1, 'the hanging request');
    own.apple.silence('mute');
    const rawClosed = new Promise((resolve) => raw.on('close', resolve));
    await own.close();
    await Promise.all([hanging, rawClosed]);
  });

  it('a direct server serves the same, but says that it cannot be muted', async (t) => {
    const direct = await startAppleFixture({ direct: true });
    t.after(() => direct.close());
    const session = direct.connect();
    assert.equal((await ask(session, direct.headers(await direct.jwt()), PAYLOAD)).status, 200);
    assert.throws(() => direct.apple.silence('mute'), /direct/);
    direct.apple.disconnectAll();
    await until(() => session.destroyed, 'the end of the session');
    assert.equal(direct.apple.accepted(), 1);
  });
});
