import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { credentialExpiry } from '../../src/apps/credential/credential-expiry.ts';
import { describeCredential } from '../../src/apps/credential/describe-credential.ts';
import { readApnsKey } from '../../src/apps/credential/read-apns-key.ts';
import { readFcmServiceAccount } from '../../src/apps/credential/read-fcm-service-account.ts';
import { assertRefused, encryptedPem, pkcs8 } from './credential-checks.ts';

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const IDS = { keyId: 'ABC123DEFG', teamId: 'TEAM567890' };

describe('an APNs key', () => {
  const text = pkcs8(EC.privateKey);

  it('as Apple gives it is accepted, whatever its line ends', () => {
    for (const variant of [text, text.replaceAll('\n', '\r\n'), `\uFEFF${text}`, `remarks\n${text}\nmore`]) {
      const reading = readApnsKey({ text: variant, ...IDS });
      assert.ok(reading.ok);
      assert.deepEqual(reading.credential, { kind: 'apns-key', ...IDS, privateKey: text });
      assert.equal(reading.expiresAt, undefined);
    }
  });

  it('with ids that are none of Apple is refused', () => {
    for (const keyId of ['', 'abc123defg', 'ABC123DEF', 'ABC123DEFGH', 'ABC-23DEFG', 'ABC123DEFG\n']) {
      assertRefused(readApnsKey({ text, ...IDS, keyId }), /key id must be 10 capital letters/);
    }
    assertRefused(readApnsKey({ text, ...IDS, teamId: 'team567890' }), /team id must be 10 capital letters/);
  });

  it('of another kind, encrypted, damaged or missing is refused', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const publicKey = EC.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const cases = [
      [pkcs8(RSA.privateKey), /no EC key on the curve P-256/],
      [pkcs8(other.privateKey), /no EC key on the curve P-256/],
      [encryptedPem(EC.privateKey), /is encrypted: decrypt it first/],
      [publicKey, /holds no private key in PEM form/],
      ['', /holds no private key in PEM form/],
      [text.replace(/\n.{20}/, '\n'), /is damaged/],
    ] as const;
    for (const [wrong, problem] of cases) assertRefused(readApnsKey({ text: wrong, ...IDS }), problem, wrong);
  });
});

describe('a Google service account', () => {
  const FILE = {
    type: 'service_account',
    project_id: 'my-project-1',
    private_key_id: '0123456789abcdef0123456789abcdef01234567',
    private_key: pkcs8(RSA.privateKey),
    client_email: 'push@my-project-1.iam.gserviceaccount.com',
    token_uri: 'https://oauth2.googleapis.com/token',
    universe_domain: 'googleapis.com',
  };
  const read = (changes: Record<string, unknown>) =>
    readFcmServiceAccount(JSON.stringify({ ...FILE, ...changes }));

  it('as Google gives it is accepted, and one whose token address is on this machine', () => {
    const reading = readFcmServiceAccount(`\uFEFF${JSON.stringify(FILE, undefined, 2)}\r\n`);
    assert.ok(reading.ok);
    assert.deepEqual(reading.credential, {
      kind: 'fcm-service-account',
      projectId: FILE.project_id,
      clientEmail: FILE.client_email,
      privateKeyId: FILE.private_key_id,
      privateKey: FILE.private_key,
      tokenUri: FILE.token_uri,
    });
    for (const token_uri of ['http://127.0.0.1:9/t', 'http://localhost/t', 'http://[::1]:80/t']) {
      assert.ok(read({ token_uri }).ok);
    }
    assert.ok(read({ project_id: 'example.com:old-project' }).ok);
  });

  it('with a field missing or of another type is refused by its name', () => {
    for (const field of ['project_id', 'client_email', 'private_key_id', 'private_key', 'token_uri']) {
      for (const value of [undefined, null, '', '  ', 7, {}]) {
        assertRefused(read({ [field]: value }), new RegExp(`no text in its field "${field}"`));
      }
    }
  });

  it('that is another kind of file is refused', () => {
    assertRefused(read({ type: 'authorized_user' }), /"type" must be "service_account"/);
    assertRefused(read({ type: undefined }), /"type" must be "service_account"/);
    assertRefused(read({ type: undefined, project_info: {} }), /google-services\.json/);
    for (const text of ['', 'null', '[]', '7', '{"private_key": hunter2', `"${'x'.repeat(300_000)}"`]) {
      assertRefused(readFcmServiceAccount(text), /is not (a JSON object|valid JSON)/, 'hunter2');
    }
  });

  it('with a project id that would change the path of a request is refused', () => {
    for (const project_id of ['a/../b', 'a b', '../x', 'A', 'a?b', 'a%2fb']) {
      assertRefused(read({ project_id }), /is no project id/);
    }
  });

  it('whose token address is not protected is refused', () => {
    for (const token_uri of [
      'http://oauth2.googleapis.com/token',
      'oauth2/token',
      'ftp://x/',
      'http://127.0.0.1.evil/t',
    ]) {
      assertRefused(read({ token_uri }), /must be an absolute https: address/);
    }
  });

  it('with a key that cannot sign for Google is refused', () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
    assertRefused(read({ private_key: pkcs8(EC.privateKey) }), /no RSA key of at least 2048 bits/);
    assertRefused(read({ private_key: pkcs8(small.privateKey) }), /no RSA key of at least 2048 bits/);
    assertRefused(read({ private_key: 'hunter2' }), /holds no private key in PEM form/, 'hunter2');
    assertRefused(read({ private_key: encryptedPem(RSA.privateKey) }), /is encrypted/);
  });
});

it('a credential is described without anything secret, and tells two keys apart', () => {
  const describeKey = (privateKey: string) => describeCredential({ kind: 'apns-key', ...IDS, privateKey });
  const line = describeKey(pkcs8(EC.privateKey));
  assert.match(line, /^APNs key ABC123DEFG of team TEAM567890, sha256 [0-9a-f]{12}$/);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  assert.notEqual(describeKey(pkcs8(other.privateKey)), line);
  assert.match(describeKey('hunter2'), /sha256 unreadable$/);
  const account = describeCredential({
    kind: 'fcm-service-account',
    projectId: 'my-project-1',
    clientEmail: 'push@example.com',
    privateKeyId: '0123456789abcdef0123456789',
    privateKey: pkcs8(RSA.privateKey),
    tokenUri: 'https://oauth2.googleapis.com/token',
  });
  assert.match(
    account,
    /^FCM service account of project my-project-1, key 0123456789ab, sha256 [0-9a-f]{12}$/,
  );
});

it('only a certificate expires', () => {
  const privateKey = pkcs8(EC.privateKey);
  assert.equal(credentialExpiry({ kind: 'apns-key', ...IDS, privateKey }), undefined);
  assert.equal(credentialExpiry({ kind: 'apns-certificate', certificate: 'damaged', privateKey }), undefined);
});
