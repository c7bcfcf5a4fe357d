import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { readConfig } from '../../src/config/config.ts';

const BYTES = randomBytes(32);
const BASE64 = BYTES.toString('base64');

function read(env: Readonly<Record<string, string>>, file = '') {
  return readConfig({ env: { HOST: '127.0.0.1', ...env }, readFile: () => file, openFiles: 20_000 });
}

describe('keys for credentials', () => {
  it('a key is taken as base64 and as hex, from the environment and from a file', () => {
    const forms = [BASE64, BASE64.slice(0, -1), BYTES.toString('base64url'), BYTES.toString('hex')];
    for (const form of [...forms, BYTES.toString('hex').toUpperCase()]) {
      const { config } = read({ CREDENTIALS_KEY: form });
      assert.deepEqual(config?.credentialKeys.current?.export(), BYTES, form);
      const filed = read({ CREDENTIALS_KEY_FILE: '/run/key' }, `${form}\n`);
      assert.deepEqual(filed.config?.credentialKeys.current?.export(), BYTES, form);
    }
    for (const form of [`"${BASE64}"`, `${BASE64}\\n`, `'${BASE64}\\r\\n'`]) {
      assert.deepEqual(read({ CREDENTIALS_KEY: form }).config?.credentialKeys.current?.export(), BYTES, form);
    }
    const utf16 = Buffer.from(`\uFEFF${BASE64}\r\n`, 'utf16le').toString('utf8');
    const filed = read({ CREDENTIALS_KEY_FILE: '/run/key' }, utf16);
    assert.deepEqual(filed.config?.credentialKeys.current?.export(), BYTES);
    assert.equal(read({}).config?.credentialKeys.current, undefined);
  });

  it('anything else is refused with the way to make one, and never quoted', () => {
    for (const wrong of [
      'hunter2',
      BASE64.slice(1),
      `${BASE64}AAAA`,
      BYTES.toString('hex').slice(1),
      `${BASE64.slice(0, 20)} ${BASE64.slice(20)}`,
      `${'+'.repeat(20)}${'_'.repeat(23)}`,
      randomBytes(16).toString('hex'),
      randomBytes(24).toString('base64'),
      '0'.repeat(64),
      '0123456789abcdef'.repeat(4),
      Buffer.from('correct horse battery staple, no').toString('base64'),
    ]) {
      const { config, problems } = read({ CREDENTIALS_KEY: wrong });
      assert.equal(config, undefined);
      assert.deepEqual(problems, [
        'CREDENTIALS_KEY must be 32 random bytes as base64 or hex; make one with: openssl rand -base64 32',
      ]);
    }
  });

  it('what a weak key has encrypted can still be read, to encrypt it anew', () => {
    const { config, problems } = read({ CREDENTIALS_KEY: BASE64, CREDENTIALS_KEY_PREVIOUS: '0'.repeat(64) });
    assert.deepEqual(problems, []);
    assert.equal(config?.credentialKeys.previous.length, 1);
  });

  it('earlier keys are a list, of which the wrong one is told by its number', () => {
    const second = randomBytes(32);
    const list = `${BASE64}, ${second.toString('hex')}`;
    const { config } = read({
      CREDENTIALS_KEY: randomBytes(32).toString('hex'),
      CREDENTIALS_KEY_PREVIOUS: list,
    });
    assert.deepEqual(
      config?.credentialKeys.previous.map((key) => key.export()),
      [BYTES, second],
    );
    const filed = read(
      { CREDENTIALS_KEY_PREVIOUS_FILE: '/run/keys' },
      `${BASE64}\n${second.toString('hex')}\n`,
    );
    assert.equal(filed.config?.credentialKeys.previous.length, 2);
    assert.match(filed.warnings.join(), /without CREDENTIALS_KEY/);
    const [problem = ''] = read({ CREDENTIALS_KEY_PREVIOUS: `${BASE64},hunter2` }).problems;
    assert.match(problem, /number 2 of 2 is not such a key/);
    assert.ok(!problem.includes('hunter2'));
    const many = Array.from({ length: 17 }, () => BASE64).join();
    assert.match(read({ CREDENTIALS_KEY_PREVIOUS: many }).problems.join(), /1 to 16 keys/);
  });

  it('a slip in a name is noticed', () => {
    assert.match(read({ CREDENTIALS_KEYS: BASE64 }).warnings.join(), /CREDENTIALS_KEYS is not a setting/);
  });
});
