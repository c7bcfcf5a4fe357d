import type { CredentialOwner, DecodedCredential } from './credential-codec.ts';

/** Why a stored credential cannot be read. */
export type CredentialProblem = Exclude<DecodedCredential, { readonly kind: 'decoded' }>;

/** The ids of keys in a sentence about them. */
export function configuredKeys(ids: readonly string[]): string {
  return ids.length === 0 ? 'no key is configured' : `configured: ${ids.join(', ')}`;
}

/** A credential in the database that this program cannot read; the message names its app and says what to do. */
export class CredentialUnreadable extends Error {
  override readonly name = 'CredentialUnreadable';
  readonly owner: CredentialOwner;
  readonly problem: CredentialProblem;

  constructor(owner: CredentialOwner, problem: CredentialProblem) {
    super(`the stored credential of the ${owner.platform} app ${owner.appId} ${words(problem)}`);
    this.owner = owner;
    this.problem = problem;
  }
}

function words(problem: CredentialProblem): string {
  switch (problem.kind) {
    case 'key-missing':
      return `is encrypted with the key ${problem.keyId}, which is missing (${configuredKeys(problem.configured)}): set CREDENTIALS_KEY or CREDENTIALS_KEY_PREVIOUS to that key, or add the app again`;
    case 'damaged':
      return `was changed after it was encrypted with the key ${problem.keyId}, or belongs to another app: restore it from a backup, or add the app again`;
    case 'unknown-format':
      return 'cannot be read: add the app again';
    default:
      return problem satisfies never;
  }
}
