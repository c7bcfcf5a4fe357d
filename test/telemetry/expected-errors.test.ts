import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isExpected } from '../../src/telemetry/conditions.ts';

it('what systems, TLS and drivers answer is expected; a bug is not', () => {
  const coded = (code: string) => Object.assign(new Error('x'), { code });
  for (const code of [
    'ECONNRESET',
    'ENOTFOUND',
    'EPROTO',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'CERT_HAS_EXPIRED',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UND_ERR_CONNECT_TIMEOUT',
    'ERR_HTTP2_STREAM_CANCEL',
  ])
    assert.ok(isExpected(coded(code)), code);
  assert.ok(isExpected(new Error('first', { cause: coded('ETIMEDOUT') })));
  for (const name of [
    'StorageUnavailable',
    'RedisUnavailable',
    'CredentialUnreadable',
    'AbortError',
    'TimeoutError',
  ])
    assert.ok(isExpected(Object.assign(new Error('x'), { name })), name);
  for (const error of [
    coded('ERR_INVALID_ARG_TYPE'),
    coded('ERR_ASSERTION'),
    new RangeError('x'),
    new Error('x', { cause: new RangeError('y') }),
    new Error('x', { cause: undefined }),
    'text',
    undefined,
  ])
    assert.equal(isExpected(error), false, String(error));
});
