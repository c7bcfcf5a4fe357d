import type { AppCredential } from '../app.ts';

/** No file that holds a credential is larger, in characters. */
export const MAX_CREDENTIAL_TEXT = 256 * 1024;

/** A credential was refused; `problem` is one sentence for the operator and never quotes what is secret. */
export interface CredentialRefused {
  readonly ok: false;
  readonly problem: string;
  /** Whether it is about the key's own file, of two. */
  readonly ofKeyFile?: true;
}

/** What came of reading a credential's files. */
export type CredentialReading<Kind extends AppCredential['kind']> =
  | {
      readonly ok: true;
      readonly credential: Extract<AppCredential, { readonly kind: Kind }>;
      /** When it ends by itself, milliseconds since the epoch; left out where it does not. */
      readonly expiresAt?: number;
      /** What the operator should know although it is no error, one sentence each. */
      readonly notes: readonly string[];
    }
  | CredentialRefused;

/** A refusal for that reason. */
export function refused(problem: string): CredentialRefused {
  return { ok: false, problem };
}
