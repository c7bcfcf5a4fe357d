import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';

/** The key as Apple and Google hand it out. */
export function pkcs8(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The key under a password. */
export function encryptedPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
}

/** Asserts a refusal in one line that names the problem and quotes no line of `secret`. */
export function assertRefused(
  reading: { readonly ok: true } | { readonly ok: false; readonly problem: string },
  problem: RegExp,
  secret = '',
): void {
  assert.ok(!reading.ok, 'it was accepted');
  assert.match(reading.problem, problem);
  assert.doesNotMatch(reading.problem, /\n/);
  const lines = secret.split('\n').filter((line) => line.length > 5 && !line.startsWith('-----'));
  for (const line of lines) assert.ok(!reading.problem.includes(line));
}
