import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { it } from 'node:test';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { read } from './read.ts';

const CA = createThrowAwayCa();
const OWN = CA.issueServer();
const LOCKED = createPrivateKey(OWN.privateKey)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
  .toString();
const OLD_LOCKED = createPrivateKey(OWN.privateKey)
  .export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
  .toString();
/** Line ends as a shell or a `.env` file leaves them. */
function flat(pem: string) {
  return pem.replaceAll('\n', '\\n');
}
const FILES = {
  '/cert': OWN.certificate,
  '/chain': OWN.certificate + CA.certificate,
  '/key': OWN.privateKey,
  '/locked': LOCKED,
  '/other-key': CA.issueServer().privateKey,
  '/ca': CA.certificate,
  '/leaf': CA.issueClient({ commonName: 'pbx-1' }).certificate,
  '/damaged': OWN.certificate.replace(/\n.{20}/, `\n${'A'.repeat(20)}`),
  '/flat-chain': flat(OWN.certificate + CA.certificate),
  '/flat-key': flat(OWN.privateKey),
  '/flat-ca': flat(CA.certificate),
  '/flat-locked': flat(LOCKED),
  '/old-locked': OLD_LOCKED,
  '/spaced-locked': OLD_LOCKED.replaceAll('\n', ' '),
  '/long': 'x'.repeat(1_000_001),
};
const TLS = { TLS_CERT_FILE: '/cert', TLS_KEY_FILE: '/key' };

it('TLS is off unless both files are named', () => {
  assert.equal(read({}).config?.tls, undefined);
  assert.deepEqual(read(TLS, FILES).config?.tls, {
    certFile: '/cert',
    keyFile: '/key',
    passphrase: undefined,
    pbxClientCaFile: undefined,
  });
});

it('files that make a listener are taken: a chain, an encrypted key, an authority for PBXs', () => {
  for (const settings of [
    { ...TLS, TLS_CERT_FILE: '/chain' },
    { ...TLS, TLS_KEY_FILE: '/locked', TLS_KEY_PASSPHRASE: 'open sesame' },
    { ...TLS, PBX_CLIENT_CA_FILE: '/ca' },
    { TLS_CERT_FILE: '/flat-chain', TLS_KEY_FILE: '/flat-key', PBX_CLIENT_CA_FILE: '/flat-ca' },
    { ...TLS, TLS_KEY_FILE: '/flat-locked', TLS_KEY_PASSPHRASE: 'open sesame' },
    { ...TLS, TLS_KEY_FILE: '/old-locked', TLS_KEY_PASSPHRASE: 'open sesame' },
    { ...TLS, TLS_KEY_FILE: '/spaced-locked', TLS_KEY_PASSPHRASE: 'open sesame' },
  ]) {
    assert.deepEqual(read(settings, FILES).problems, []);
  }
});

it('each file that cannot be used is told in one line that names its setting', () => {
  const rows: readonly (readonly [Readonly<Record<string, string>>, readonly RegExp[]])[] = [
    [{ TLS_CERT_FILE: '/cert' }, [/^TLS_KEY_FILE must be set with TLS_CERT_FILE$/]],
    [{ TLS_KEY_FILE: '/key' }, [/^TLS_CERT_FILE must be set with TLS_KEY_FILE$/]],
    [{ PBX_CLIENT_CA_FILE: '/ca' }, [/^PBX_CLIENT_CA_FILE needs TLS_CERT_FILE and TLS_KEY_FILE/]],
    [
      { TLS_CERT_FILE: '/a', TLS_KEY_FILE: '/b', PBX_CLIENT_CA_FILE: '/c' },
      [
        /^TLS_CERT_FILE names \/a, which cannot be read \(ENOENT\)$/,
        /^TLS_KEY_FILE names \/b, which/,
        /^PBX_CLIENT_CA_FILE names \/c, which/,
      ],
    ],
    [{ ...TLS, TLS_CERT_FILE: '/long' }, [/^TLS_CERT_FILE names \/long, which is longer than/]],
    [{ ...TLS, TLS_CERT_FILE: '/key' }, [/^TLS_CERT_FILE holds no certificate in PEM form/]],
    [{ ...TLS, TLS_CERT_FILE: '/damaged' }, [/^TLS_CERT_FILE holds a certificate that is damaged/]],
    [{ ...TLS, TLS_KEY_FILE: '/cert' }, [/^TLS_KEY_FILE holds no private key in PEM form/]],
    [{ ...TLS, TLS_KEY_FILE: '/other-key' }, [/^TLS_KEY_FILE holds a key that does not belong/]],
    [
      { ...TLS, TLS_KEY_FILE: '/locked' },
      [/^TLS_KEY_FILE holds a private key that is encrypted: set TLS_KEY_PASSPHRASE$/],
    ],
    [
      { ...TLS, TLS_KEY_FILE: '/locked', TLS_KEY_PASSPHRASE: 'hunter2' },
      [/^TLS_KEY_FILE .* the passphrase does not open: correct TLS_KEY_PASSPHRASE$/],
    ],
    [{ ...TLS, PBX_CLIENT_CA_FILE: '/leaf' }, [/^PBX_CLIENT_CA_FILE must hold certificate authorities only/]],
    [{ ...TLS, PBX_CLIENT_CA_FILE: '/key' }, [/^PBX_CLIENT_CA_FILE holds no certificate in PEM form/]],
  ];
  for (const [settings, expected] of rows) {
    const { config, problems } = read(settings, FILES);
    assert.equal(config, undefined, JSON.stringify(settings));
    assert.equal(problems.length, expected.length, problems.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? '', pattern);
    assert.ok(!problems.join('\n').includes('hunter2'));
    for (const problem of problems) assert.ok(!problem.includes('\n'));
  }
});

it('PBX_CLIENT_CA_FILE stands for PBX_ALLOW as a token does', () => {
  const pbx = read({ ...TLS, PBX_CLIENT_CA_FILE: '/ca' }, FILES).config?.pbx;
  assert.deepEqual([pbx?.allow, pbx?.token, pbx?.certificate], [undefined, undefined, true]);
  assert.equal(read(TLS, FILES).config?.pbx.certificate, false);
});

it('an http address for apps is warned of where this service speaks HTTPS', () => {
  const everywhere = {
    ...TLS,
    HOST: '0.0.0.0',
    ACCOUNT_AUTH: 'voipgrid',
    VG_API_BASE_URL: 'https://x.example',
  };
  const settings = { ...everywhere, APP_API_URL: 'http://push.example.org' };
  assert.match(read(settings, FILES).warnings.join(), /^APP_API_URL is an http:\/\/ address/);
  assert.deepEqual(read({ ...everywhere, APP_API_URL: 'https://push.example.org' }, FILES).warnings, []);
  assert.match(read({ TLS_CERT: '/cert' }).warnings.join(), /^TLS_CERT is not a setting/);
});
