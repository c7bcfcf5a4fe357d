import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { AppCredential } from './app.ts';
import type { CredentialVault, Opened } from './credential-vault.ts';
import type { Place } from './sealed-box.ts';

const Credential = Type.Union([
  Type.Object({
    kind: Type.Literal('apns-key'),
    teamId: Type.String(),
    keyId: Type.String(),
    privateKey: Type.String(),
  }),
  Type.Object({
    kind: Type.Literal('apns-certificate'),
    certificate: Type.String(),
    privateKey: Type.String(),
  }),
  Type.Object({
    kind: Type.Literal('fcm-service-account'),
    projectId: Type.String(),
    clientEmail: Type.String(),
    privateKeyId: Type.String(),
    privateKey: Type.String(),
    tokenUri: Type.String(),
  }),
]);

/** `format` tells how the rest of the column is to be read; the other one is that of a sealed box. */
const Stored = Type.Object({ format: Type.Literal('plain'), credential: Credential });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The error of JSON.parse quotes the text, which is secret; the caller knows what undefined means.
    return undefined;
  }
};

/** Whose credential it is. The row's number is no part of it: a database that is copied may count anew. */
export interface CredentialOwner {
  readonly platform: string;
  readonly appId: string;
}

/** The place of an app's credential, for the vault. */
const credentialPlace = ({ platform, appId }: CredentialOwner): Place => ['apps.credential', platform, appId];

/** A credential as the text of the column `apps.credential`: encrypted for its app where the vault has a key for it. */
export const encodeCredential = (
  vault: Pick<CredentialVault, 'seal'>,
  owner: CredentialOwner,
  credential: AppCredential,
): string =>
  vault.seal(
    JSON.stringify({ format: 'plain', credential } satisfies Static<typeof Stored>),
    credentialPlace(owner),
  );

/** What came of reading a column `apps.credential`; `unknown-format`: no version that this program knows wrote it. */
export type DecodedCredential =
  | { readonly kind: 'decoded'; readonly credential: AppCredential; readonly keyId: string | undefined }
  | { readonly kind: 'unknown-format' }
  | Exclude<Opened, { readonly kind: 'opened' }>;

/** The credential in a column `apps.credential`. */
export const decodeCredential = (
  vault: Pick<CredentialVault, 'open'>,
  owner: CredentialOwner,
  column: string,
): DecodedCredential => {
  const opened = vault.open(column, credentialPlace(owner));
  if (opened.kind !== 'opened') return opened;
  const stored = parseJson(opened.text);
  return Value.Check(Stored, stored)
    ? { kind: 'decoded', credential: stored.credential, keyId: opened.keyId }
    : { kind: 'unknown-format' };
};
