import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { trustSandbox } from '../../src/cli/sandbox/sandbox-apps.ts';
import { createTlsListener, tlsClientFault } from '../../src/http/listener/tls-listener.ts';
import { readTlsMaterial } from '../../src/lib/tls-material.ts';
import { listenOnLoopback } from '../../src/sandbox/listen-on-loopback.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { agentOf, connectTo, createTlsFolder, shownTo, type TlsFolder } from './tls-service.ts';

const DAY_MS = 86_400_000;

async function startSecure(
  t: TestContext,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly folder: TlsFolder; readonly service: TestService }> {
  const folder = await createTlsFolder(t);
  const service = await startTestService(t, { settings: { ...folder.settings, ...more } });
  trustSandbox(folder.ca.certificate);
  return { folder, service };
}

function clientErrors(service: TestService, why: string) {
  return service.metric(`vialer_middleware_tls_client_errors_total{why="${why}"}`);
}
function expiry(service: TestService) {
  return service.metric(
    'vialer_middleware_tls_certificate_expiry_timestamp_seconds{setting="TLS_CERT_FILE"}',
  );
}
function logged(service: TestService, message: RegExp) {
  return service.logged.filter((line) => message.test(line.message));
}

describe('HTTPS', () => {
  it('PBX and phone are served; the push carries an https address, and the metrics port stays plain', async (t) => {
    const { service } = await startSecure(t);
    assert.match(service.url, /^https:/);
    assert.match(service.running.metricsUrl, /^http:/);
    const phone = await service.phone({ kind: 'ios' });
    const answer = await service.ask({ account: phone.account });
    assert.deepEqual([answer.status, answer.body], [200, 'status=ACK']);
    const push = service.world.apple.received.list().at(-1);
    assert.equal(push?.payload['response_api'], `${service.url}/api/call-response/`);
  });

  it('TLS 1.2 and 1.3 are spoken and nothing older, each with HTTP/1.1 only', async (t) => {
    const { folder, service } = await startSecure(t);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await connectTo(service.url, { ca: folder.ca, version });
      assert.equal(socket.getProtocol(), version);
      socket.destroy();
    }
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      // OpenSSL's level 0: otherwise the client itself would refuse to offer so old a version.
      const old = connectTo(service.url, { ca: folder.ca, version, ciphers: 'DEFAULT@SECLEVEL=0' });
      await assert.rejects(old, /protocol version/);
    }
    await until(async () => (await clientErrors(service, 'old-protocol')) === 2, 'both are counted');
  });

  it('clients that get no TLS are counted by what went wrong, without a log line for each', async (t) => {
    const { folder, service } = await startSecure(t);
    const { hostname, port } = new URL(service.url);
    for (const text of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n']) {
      const plain = connectPlain(Number(port), hostname);
      plain.end(text);
      plain.resume();
      await once(plain, 'close');
    }
    const cipher = { version: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' } as const;
    await assert.rejects(connectTo(service.url, { ca: folder.ca, ...cipher }));
    for (const [why, count] of [
      ['plain-http', 1],
      ['not-tls', 1],
      ['no-shared-cipher', 1],
    ] as const) {
      await until(async () => (await clientErrors(service, why)) === count, `${why} is counted`);
    }
    assert.deepEqual(logged(service, /TLS|handshake|client/i), []);
    assert.equal((await fetch(`${service.url}/healthz`)).status, 200);
  });

  it('what a client says of our certificate has its own count', () => {
    for (const code of ['TLSV1_ALERT_UNKNOWN_CA', 'SSLV3_ALERT_CERTIFICATE_EXPIRED']) {
      const error = Object.assign(new Error('x'), { code: `ERR_SSL_${code}` });
      assert.equal(tlsClientFault(error), 'certificate-refused');
    }
    assert.equal(tlsClientFault(Object.assign(new Error('x'), { code: 'ERR_SSL_NEW' })), 'other');
  });

  it('a connection that sends nothing is closed, and stopping does not wait for one', async (t) => {
    const { service } = await startSecure(t);
    const { hostname, port } = new URL(service.url);
    const silent = connectPlain(Number(port), hostname);
    await once(silent, 'connect');
    const closed = once(silent, 'close');
    silent.on('error', () => {}).resume();
    await service.running.stop(Promise.resolve());
    await closed;

    const folder = await createTlsFolder(t);
    const listener = await startListener(t, folder);
    const mute = connectPlain(listener.port, '127.0.0.1');
    mute.resume();
    await once(mute, 'close');
    assert.deepEqual(listener.faults, ['handshake-timeout']);
  });
});

describe('reloading the TLS files', () => {
  it('new connections get the new certificate while a held call goes on to its answer', async (t) => {
    const { folder, service } = await startSecure(t, { APP_PUSH_ROUNDTRIP_WAIT: '20000' });
    const phone = await service.phone({ kind: 'ios', silent: true });
    const waiting = service.ask({ account: phone.account });
    await until(() => phone.pushes() > 0 || service.world.apple.received.count() > 0, 'the phone is pushed');
    assert.equal(await shownTo(service.url, folder), 'first');

    const notAfter = new Date(Date.now() + 90 * DAY_MS);
    await folder.write(folder.ca.issueServer({ commonName: 'second', notAfter }));
    await service.running.reload();
    assert.equal(await shownTo(service.url, folder), 'second');
    assert.equal(await expiry(service), Math.floor(notAfter.getTime() / 1000));
    const [line] = logged(service, /read again: new connections use them/);
    assert.equal(line?.level, 'info');
    assert.equal(line?.fields['certificate'], 'CN=second');
    assert.match(String(line?.fields['expires']), new RegExp(`^${notAfter.toISOString().slice(0, 10)}T`));

    const push = service.world.apple.received.list().at(-1);
    assert.ok(push);
    assert.equal((await phone.answer(push)).status, 202);
    assert.equal((await waiting).body, 'status=ACK');
  });

  it('files that cannot be used change nothing, and each reason is told', async (t) => {
    const { folder, service } = await startSecure(t);
    const { TLS_CERT_FILE, TLS_KEY_FILE } = folder.settings;
    const other = folder.ca.issueServer({ commonName: 'second' });
    const first = { certificate: '', privateKey: '' };
    const rows = [
      [
        { certificate: other.certificate },
        'TLS_KEY_FILE holds a key that does not belong to the first certificate of TLS_CERT_FILE',
      ],
      [
        { certificate: 'x' },
        'TLS_CERT_FILE holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")',
      ],
      [first, 'TLS_CERT_FILE holds no certificate'],
    ] as const;
    for (const [written, problem] of rows) {
      await folder.write(written);
      await service.running.reload();
      assert.equal(await shownTo(service.url, folder), 'first');
      const last = logged(service, /not used: the former ones stay/).at(-1);
      assert.equal(last?.level, 'error');
      assert.ok(String(last?.fields['tlsProblem']).startsWith(problem), String(last?.fields['tlsProblem']));
    }
    await folder.remove();
    await service.running.reload();
    assert.equal(
      logged(service, /not used/).at(-1)?.fields['tlsProblem'],
      `TLS_CERT_FILE names ${TLS_CERT_FILE}, which cannot be read (ENOENT); TLS_KEY_FILE names ${TLS_KEY_FILE}, which cannot be read (ENOENT)`,
    );
    assert.equal(await service.metric('vialer_middleware_tls_reloads_total{result="failed"}'), 4);
    await folder.write(other);
    await service.running.reload();
    assert.equal(await shownTo(service.url, folder), 'second');
    assert.equal(await service.metric('vialer_middleware_tls_reloads_total{result="taken"}'), 1);
  });

  it('reloads that come together end with the newest files', async (t) => {
    const { folder, service } = await startSecure(t);
    await folder.write(folder.ca.issueServer({ commonName: 'second' }));
    const reloads = Array.from({ length: 20 }, () => service.running.reload());
    await folder.write(folder.ca.issueServer({ commonName: 'third' }));
    await Promise.all([...reloads, service.running.reload()]);
    assert.equal(await shownTo(service.url, folder), 'third');
    assert.ok(logged(service, /read again/).length <= 4);
  });

  it('a connection that is kept ends with its next answer, so that its client comes anew', async (t) => {
    const { folder, service } = await startSecure(t);
    const agent = agentOf(t, { ca: folder.ca }, true);
    const phone = await service.phone({ agent, register: false });
    assert.equal((await phone.register()).headers.connection, 'keep-alive');
    await folder.write(folder.ca.issueServer({ commonName: 'second' }));
    await service.running.reload();
    assert.equal((await phone.register()).headers.connection, 'close');
    assert.equal((await phone.register()).headers.connection, 'keep-alive');
  });

  it('without TLS there is nothing to reload, and it is said', async (t) => {
    const service = await startTestService(t);
    await service.running.reload();
    assert.equal(logged(service, /nothing to reload/).length, 1);
    assert.equal(await expiry(service), 0);
  });
});

it('a certificate that expires soon is told at start, one that has expired too, and is still served', async (t) => {
  const rows = [
    [20.5, 'warn', 'a TLS certificate expires soon', 20],
    [3.5, 'error', 'a TLS certificate expires soon', 3],
    [-1.5, 'error', 'a TLS certificate has expired', -2],
  ] as const;
  for (const [days, level, message, daysLeft] of rows) {
    const folder = await createTlsFolder(t);
    const notAfter = new Date(Date.now() + days * DAY_MS);
    await folder.write(folder.ca.issueServer({ notAfter }));
    const service = await startTestService(t, { settings: folder.settings });
    const told = logged(service, /TLS certificate/);
    assert.deepEqual(told, [{ level, message, fields: { setting: 'TLS_CERT_FILE', daysLeft } }]);
    assert.equal(await expiry(service), Math.floor(notAfter.getTime() / 1000));
  }
});

/** A listener of its own whose handshake may take 50 ms. */
async function startListener(t: TestContext, { settings }: TlsFolder) {
  const files = {
    certFile: settings.TLS_CERT_FILE,
    keyFile: settings.TLS_KEY_FILE,
    passphrase: undefined,
    pbxClientCaFile: undefined,
  };
  const reading = readTlsMaterial(files, (path) => readFileSync(path, 'utf8'));
  assert.ok(reading.ok);
  const faults: string[] = [];
  const events = { clientFailed: ({ why }: { readonly why: string }) => faults.push(why) };
  const server = createTlsListener(reading.material, events, 50).createServer({}, () => {});
  t.after(() => server.close());
  return { port: await listenOnLoopback(server, 0), faults };
}
