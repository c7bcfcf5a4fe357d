import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { AppCredential } from '../../src/apps/app.ts';
import { decodeCredential, encodeCredential } from '../../src/apps/credential-codec.ts';
import { createCredentialVault, sealedWith } from '../../src/apps/credential-vault.ts';
import { newVaultKey as newKey } from '../helpers/new-vault.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';

const OWNER = { platform: 'apns', appId: 'com.example.app' };
const CREDENTIAL = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;

const credentials: fc.Arbitrary<AppCredential> = fc.oneof(
  fc
    .tuple(fc.string({ unit: 'binary' }), fc.string(), fc.string({ unit: 'binary', maxLength: 5_000 }))
    .map(([teamId, keyId, privateKey]) => ({ kind: 'apns-key', teamId, keyId, privateKey }) as const),
  fc
    .tuple(fc.string({ unit: 'grapheme' }), fc.string())
    .map(([certificate, privateKey]) => ({ kind: 'apns-certificate', certificate, privateKey }) as const),
);

describe('an encrypted credential', () => {
  const vault = createCredentialVault({ current: newKey(), previous: [] });
  const column = encodeCredential(vault, OWNER, CREDENTIAL);

  it('comes back as it was, for its app, whatever it is made of', () => {
    fc.assert(
      fc.property(credentials, fc.string(), fc.string(), (credential, platform, appId) => {
        const owner = { platform, appId };
        const decoded = decodeCredential(vault, owner, encodeCredential(vault, owner, credential));
        assert.ok(decoded.kind === 'decoded');
        assert.deepEqual(decoded.credential, credential);
        assert.equal(decoded.keyId, vault.sealsWith);
      }),
    );
  });

  it('shows nothing of itself, and is another text each time', () => {
    const secret = 'MIGHAgEAMBMGByqGSM49';
    const written = encodeCredential(vault, OWNER, { ...CREDENTIAL, privateKey: secret });
    assert.ok(!written.includes(secret) && !written.includes('apns-key'));
    assert.ok(!written.includes(Buffer.from(secret).toString('base64').slice(0, 20)));
    const nonces = Array.from({ length: 1_000 }, () => {
      const box: unknown = JSON.parse(encodeCredential(vault, OWNER, CREDENTIAL));
      return typeof box === 'object' && box !== null && 'nonce' in box ? box.nonce : undefined;
    });
    assert.equal(new Set(nonces).size, 1_000);
  });

  it('is refused after a change of any of its characters', () => {
    for (let at = 0; at < column.length; at += 1) {
      for (const bit of [1, 2, 4, 8, 16, 32, 64]) {
        const flipped = String.fromCharCode(column.charCodeAt(at) ^ bit);
        const changed = column.slice(0, at) + flipped + column.slice(at + 1);
        const { kind } = decodeCredential(vault, OWNER, changed);
        assert.notEqual(kind, 'decoded', `character ${at}, bit ${bit}`);
      }
    }
  });

  it('is refused when a part is cut off, or taken from another one', () => {
    const box: Record<string, unknown> = JSON.parse(column);
    const other: Record<string, unknown> = JSON.parse(encodeCredential(vault, OWNER, CREDENTIAL));
    const cases = [
      ...['nonce', 'ciphertext', 'tag'].map((part) => ({ ...box, [part]: other[part] })),
      ...['nonce', 'ciphertext', 'tag'].map((part) => ({ ...box, [part]: '' })),
      { ...box, tag: String(box['tag']).slice(0, 16) },
      { ...box, nonce: String(box['nonce']).slice(0, 8) },
      { ...box, ciphertext: String(box['ciphertext']).slice(0, -4) },
    ];
    for (const changed of cases) {
      assert.deepEqual(decodeCredential(vault, OWNER, JSON.stringify(changed)), {
        kind: 'damaged',
        keyId: vault.sealsWith,
      });
    }
  });

  it('is refused for every other app', () => {
    for (const owner of [
      { ...OWNER, appId: 'com.example.other' },
      { ...OWNER, appId: 'com.example.App' },
      { ...OWNER, platform: 'android' },
      { platform: 'apnscom', appId: '.example.app' },
    ]) {
      assert.equal(decodeCredential(vault, owner, column).kind, 'damaged');
    }
  });

  it('needs its key, and names it and those that are there', () => {
    const other = createCredentialVault({ current: newKey(), previous: [newKey()] });
    assert.deepEqual(decodeCredential(other, OWNER, column), {
      kind: 'key-missing',
      keyId: vault.sealsWith,
      configured: other.keyIds,
    });
    assert.equal(decodeCredential(PLAIN_VAULT, OWNER, column).kind, 'key-missing');
  });

  it('what is not encrypted is read by every vault', () => {
    const plain = encodeCredential(PLAIN_VAULT, OWNER, CREDENTIAL);
    assert.equal(plain, JSON.stringify({ format: 'plain', credential: CREDENTIAL }));
    assert.deepEqual(decodeCredential(vault, OWNER, plain), {
      kind: 'decoded',
      credential: CREDENTIAL,
      keyId: undefined,
    });
    assert.equal(sealedWith(plain), undefined);
  });
});

describe('keys of a vault', () => {
  it('an earlier key decrypts and does not encrypt; the same key has the same id everywhere', () => {
    const [first, second] = [newKey(), newKey()];
    const before = createCredentialVault({ current: first, previous: [] });
    const after = createCredentialVault({ current: second, previous: [first, second, first] });
    assert.equal(decodeCredential(after, OWNER, encodeCredential(before, OWNER, CREDENTIAL)).kind, 'decoded');
    const written = encodeCredential(after, OWNER, CREDENTIAL);
    assert.equal(decodeCredential(before, OWNER, written).kind, 'key-missing');
    assert.equal(sealedWith(written), after.sealsWith);
    assert.deepEqual(after.keyIds, [after.sealsWith, before.sealsWith]);
  });

  it('an id says nothing of its key, and a vault that is printed shows none', () => {
    const bytes = randomBytes(32);
    const vault = createCredentialVault({ current: createSecretKey(bytes), previous: [] });
    const shown = inspect(vault, { depth: 10, showHidden: true }) + JSON.stringify(vault);
    for (const form of ['hex', 'base64', 'latin1'] as const) {
      assert.ok(!shown.includes(bytes.toString(form).slice(0, 8)));
    }
    assert.match(vault.sealsWith ?? '', /^[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}$/);
  });
});
