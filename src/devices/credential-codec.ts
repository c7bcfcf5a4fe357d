import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { AppCredential } from './app.ts';

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

/** `format` tells how the rest of the column is to be read. */
const Stored = Type.Object({ format: Type.Literal('plain'), credential: Credential });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The error of JSON.parse quotes the text, which is secret; the caller knows what undefined means.
    return undefined;
  }
};

/** A credential as the text of the column `apps.credential`. */
export const encodeCredential = (credential: AppCredential): string =>
  JSON.stringify({ format: 'plain', credential } satisfies Static<typeof Stored>);

/** The credential in a column `apps.credential`; undefined when this program cannot read it. */
export const decodeCredential = (column: string): AppCredential | undefined => {
  const stored = parseJson(column);
  return Value.Check(Stored, stored) ? stored.credential : undefined;
};
