import { isRecord } from '../lib/is-record.ts';
import type { AppCredential } from './app.ts';
import type { CredentialVault, Opened } from './credential-vault.ts';
import type { Place } from './sealed-box.ts';

/** `format` tells how the rest of the column is to be read; the other one is that of a sealed box. */
interface Stored {
  readonly format: 'plain';
  readonly credential: AppCredential;
}

type Fields = Readonly<Record<string, unknown>>;

function hasTexts<Name extends string>(
  fields: Fields,
  ...names: readonly Name[]
): fields is Fields & Readonly<Record<Name, string>> {
  return names.every((name) => typeof fields[name] === 'string');
}

function asCredential(fields: unknown): AppCredential | undefined {
  if (!isRecord(fields)) return undefined;
  switch (fields['kind']) {
    case 'apns-key': {
      if (!hasTexts(fields, 'teamId', 'keyId', 'privateKey')) return undefined;
      const { keyId, teamId, privateKey } = fields;
      return { kind: 'apns-key', keyId, teamId, privateKey };
    }
    case 'apns-certificate': {
      if (!hasTexts(fields, 'certificate', 'privateKey')) return undefined;
      const { certificate, privateKey } = fields;
      return { kind: 'apns-certificate', certificate, privateKey };
    }
    case 'fcm-service-account': {
      if (!hasTexts(fields, 'projectId', 'clientEmail', 'privateKeyId', 'privateKey', 'tokenUri'))
        return undefined;
      const { projectId, clientEmail, privateKeyId, privateKey, tokenUri } = fields;
      return { kind: 'fcm-service-account', projectId, clientEmail, privateKeyId, privateKey, tokenUri };
    }
    default:
      return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error of JSON.parse quotes the text, which is secret; the caller knows what undefined means.
    return undefined;
  }
}

/** Whose credential it is. The row's number is no part of it: a database that is copied may count anew. */
export interface CredentialOwner {
  readonly platform: string;
  readonly appId: string;
}

/** The place of an app's credential, for the vault. */
function credentialPlace({ platform, appId }: CredentialOwner): Place {
  return ['apps.credential', platform, appId];
}

/** A credential as the text of the column `apps.credential`: encrypted for its app where the vault has a key for it. */
export function encodeCredential(
  vault: Pick<CredentialVault, 'seal'>,
  owner: CredentialOwner,
  credential: AppCredential,
): string {
  return vault.seal(JSON.stringify({ format: 'plain', credential } satisfies Stored), credentialPlace(owner));
}

/** What came of reading a column `apps.credential`; `unknown-format`: no version that this program knows wrote it. */
export type DecodedCredential =
  | { readonly kind: 'decoded'; readonly credential: AppCredential; readonly keyId: string | undefined }
  | { readonly kind: 'unknown-format' }
  | Exclude<Opened, { readonly kind: 'opened' }>;

/** The credential in a column `apps.credential`. */
export function decodeCredential(
  vault: Pick<CredentialVault, 'open'>,
  owner: CredentialOwner,
  column: string,
): DecodedCredential {
  const opened = vault.open(column, credentialPlace(owner));
  if (opened.kind !== 'opened') return opened;
  const stored = parseJson(opened.text);
  const credential =
    isRecord(stored) && stored['format'] === 'plain' ? asCredential(stored['credential']) : undefined;
  return credential === undefined
    ? { kind: 'unknown-format' }
    : { kind: 'decoded', credential, keyId: opened.keyId };
}
