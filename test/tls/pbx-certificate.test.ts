import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { until } from '../../harness/until.ts';
import { trustSandbox } from '../../src/cli/sandbox/sandbox-apps.ts';
import { createThrowAwayCa, type IssuedCertificate } from '../../src/sandbox/certificates.ts';
import { askPbx, cancelPbxCall } from '../../src/sandbox/pbx.ts';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';
import { agentOf, clientOptions, createTlsFolder, type TlsFolder } from './tls-service.ts';

const HOUR_MS = 3_600_000;
const VERSIONS: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];

async function startMutual(t: TestContext, more: Readonly<Record<string, string>> = {}) {
  const folder = await createTlsFolder(t);
  const settings = { ...folder.settings, ...folder.mutual, ...more };
  const service = await startTestService(t, { settings });
  trustSandbox(folder.ca.certificate);
  return { folder, service, pbx: folder.pbxCa.issueClient({ commonName: 'pbx-1' }) };
}

/** One call and one cancellation on connections of their own. */
async function askAs(
  t: TestContext,
  { folder, service }: { readonly folder: TlsFolder; readonly service: TestService },
  shown: IssuedCertificate | undefined,
  account: number = newAccount(),
) {
  const line = { url: service.url, agent: agentOf(t, { ca: folder.ca, shown }) };
  const call = await askPbx({ ...line, account, phoneNumber: '020' });
  const cancel = await cancelPbxCall({ ...line, callId: 'not waiting' });
  return { call, cancel };
}

describe('PBX_CLIENT_CA_FILE', () => {
  it('a PBX with a certificate of its CA may ask; phones need none', async (t) => {
    const scene = await startMutual(t);
    const phone = await scene.service.phone();
    const { call, cancel } = await askAs(t, scene, scene.pbx, phone.account);
    assert.deepEqual([call.status, call.body, cancel.status], [200, 'status=ACK', 404]);
    assert.equal((await fetch(`${scene.service.url}/healthz`)).status, 200);
  });

  it('whoever shows no certificate that holds is refused with the reason, and counted', async (t) => {
    const scene = await startMutual(t);
    const past = new Date(Date.now() - HOUR_MS);
    const foreign = createThrowAwayCa();
    const rows = [
      [undefined, /^Refused: a client certificate signed by a CA of PBX_CLIENT_CA_FILE is needed, and none/],
      [foreign.issueClient({ commonName: 'pbx-1' }), /^Refused: .* is not signed by a CA of PBX_CLIENT_CA/],
      [scene.folder.pbxCa.issueClient({ commonName: 'pbx-1', notAfter: past }), /^Refused: .* has expired/],
      [scene.folder.pbxCa.issueServer(), /^Refused: the certificate shown is not meant for clients/],
      [scene.folder.ca.issueClient({ commonName: 'pbx-1' }), /^Refused: .* is not signed by a CA/],
    ] as const;
    const phone = await scene.service.phone();
    for (const [shown, sentence] of rows) {
      const { call, cancel } = await askAs(t, scene, shown, phone.account);
      for (const answer of [call, cancel]) {
        assert.deepEqual([answer.status, answer.contentType], [403, 'text/plain; charset=utf-8']);
        assert.match(answer.body, sentence);
      }
    }
    assert.equal(phone.pushes(), 0);
    const refused = 'vialer_middleware_requests_refused_total{endpoint="pbx",why="certificate"}';
    assert.equal(await scene.service.metric(refused), 2 * rows.length);
  });

  it('a forwarded request is refused: the certificate would be the proxy’s', async (t) => {
    const { folder, service, pbx } = await startMutual(t, { TRUST_PROXY: '127.0.0.1' });
    for (const header of ['X-Forwarded-For: 127.0.0.1', 'Forwarded: for=127.0.0.1']) {
      const socket = await open(service.url, { ...clientOptions({ ca: folder.ca, shown: pbx }) });
      const answer = await send(socket, header);
      assert.match(answer, /^HTTP\/1\.1 403 [\s\S]*Refused: the request was forwarded by a proxy/, header);
      socket.destroy();
    }
  });

  it('PBX_TOKEN and PBX_ALLOW must hold as well where they are set', async (t) => {
    const token = 'pbx-secret-0123456789abcdef';
    const scene = await startMutual(t, { PBX_TOKEN: token });
    const phone = await scene.service.phone();
    const ask = (shown: IssuedCertificate | undefined, more: { token?: string }) =>
      askPbx({
        url: scene.service.url,
        agent: agentOf(t, { ca: scene.folder.ca, shown }),
        account: phone.account,
        phoneNumber: '020',
        ...more,
      });
    assert.match((await ask(scene.pbx, {})).body, /^Refused: .*PBX_TOKEN/);
    assert.match((await ask(undefined, { token })).body, /^Refused: a client certificate/);
    assert.equal((await ask(scene.pbx, { token })).body, 'status=ACK');
    const elsewhere = await startMutual(t, { PBX_ALLOW: '192.0.2.0/24' });
    assert.match((await askAs(t, elsewhere, elsewhere.pbx)).call.body, /^Refused: .*PBX_ALLOW/);
  });

  for (const version of VERSIONS) {
    it(`a resumed connection is judged by its own certificate (${version})`, async (t) => {
      const { folder, service, pbx } = await startMutual(t);
      const foreign = createThrowAwayCa().issueClient({ commonName: 'pbx-1' });
      const rows = [
        [pbx, 200],
        [foreign, 403],
        [undefined, 403],
      ] as const;
      for (const [shown, status] of rows) {
        const options = clientOptions({ ca: folder.ca, shown, version });
        const session = await sessionOf(service.url, options);
        const socket = await open(service.url, { ...options, session });
        assert.equal(socket.isSessionReused(), true);
        assert.match(await send(socket), new RegExp(`^HTTP/1.1 ${status} `), `shown: ${shown !== undefined}`);
        socket.destroy();
      }
    });

    it(`a connection is not resumed past a reload of the CA (${version})`, async (t) => {
      const { folder, service, pbx } = await startMutual(t);
      const options = clientOptions({ ca: folder.ca, shown: pbx, version });
      const session = await sessionOf(service.url, options);
      await folder.writeCa(createThrowAwayCa().certificate);
      await service.running.reload();
      const socket = await open(service.url, { ...options, session });
      assert.equal(socket.isSessionReused(), false);
      assert.match(await send(socket), /^HTTP\/1\.1 403 [\s\S]*not signed by a CA/);
      socket.destroy();
    });
  }

  it('a certificate that expires on a kept connection is refused from then on', async (t) => {
    const { folder, service } = await startMutual(t);
    const notAfter = new Date(Date.now() + HOUR_MS);
    const shown = folder.pbxCa.issueClient({ commonName: 'pbx-1', notAfter });
    const socket = await open(service.url, clientOptions({ ca: folder.ca, shown }));
    assert.match(await send(socket), /^HTTP\/1\.1 200 /);
    t.mock.timers.enable({ apis: ['Date'], now: notAfter.getTime() });
    assert.match(await send(socket), /^HTTP\/1\.1 403 [\s\S]*has expired/);
    socket.destroy();
  });

  it('a new CA counts for new connections; one that is open gets its next answer and ends', async (t) => {
    const scene = await startMutual(t);
    const { folder, service, pbx } = scene;
    const kept = await open(service.url, clientOptions({ ca: folder.ca, shown: pbx }));
    assert.match(await send(kept), /^HTTP\/1\.1 200 [\s\S]*connection: keep-alive/i);
    const next = createThrowAwayCa();
    await folder.writeCa(next.certificate);
    await service.running.reload();
    assert.match(await send(kept), /^HTTP\/1\.1 200 [\s\S]*connection: close/i);
    assert.equal((await askAs(t, scene, pbx)).call.status, 403);
    assert.equal((await askAs(t, scene, next.issueClient({ commonName: 'pbx-1' }))).call.status, 200);
  });
});

/** A secure connection on which requests are written by hand. */
async function open(url: string, options: object): Promise<TLSSocket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** Asks for a call of an account without phone; the whole answer as text. */
async function send(socket: TLSSocket, ...headers: readonly string[]): Promise<string> {
  const body = `sip_user_id=${newAccount()}&phonenumber=020`;
  const lines = [
    'POST /api/incoming-call/ HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
    ...headers,
  ];
  let answer = '';
  const onData = (chunk: Buffer) => {
    answer += String(chunk);
  };
  socket.on('data', onData);
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  await until(() => isWhole(answer), 'the answer is there');
  socket.off('data', onData);
  return answer;
}

function isWhole(answer: string): boolean {
  const length = /content-length: (\d+)/i.exec(answer)?.[1];
  const start = answer.indexOf('\r\n\r\n') + 4;
  return length !== undefined && start > 3 && answer.length >= start + Number(length);
}

/** A ticket that the service gave on a first connection. */
async function sessionOf(url: string, options: object): Promise<Buffer> {
  const socket = await open(url, options);
  let session: Buffer | undefined;
  socket.on('session', (ticket: Buffer) => {
    session = ticket;
  });
  // TLS 1.3 sends its tickets after the handshake, TLS 1.2 within.
  await send(socket);
  session ??= socket.getSession();
  socket.destroy();
  assert.ok(session);
  return session;
}
