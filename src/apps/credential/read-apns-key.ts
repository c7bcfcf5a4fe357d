import { type CredentialReading, refused } from './credential-reading.ts';
import { privateKeyPem, readCredentialKey } from './read-credential-key.ts';

/** Apple's ids of keys and of teams: ten capital letters and digits. */
const APPLE_ID = /^[A-Z0-9]{10}$/;

/**
 * Checks an APNs authentication key: the text of Apple's `.p8` file with the two ids that go with it. The key must be on
 * the curve P-256, which ES256 signs with
 * (https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns).
 */
export function readApnsKey(input: {
  readonly text: string;
  readonly keyId: string;
  readonly teamId: string;
}): CredentialReading<'apns-key'> {
  const { text, keyId, teamId } = input;
  if (!APPLE_ID.test(keyId)) {
    return refused('the APNs key id must be 10 capital letters and digits, as in the name of the .p8 file');
  }
  if (!APPLE_ID.test(teamId)) {
    return refused('the Apple team id must be 10 capital letters and digits, as on your membership page');
  }
  const reading = readCredentialKey(text, 'the APNs key file');
  if (!reading.ok) return reading;
  const { asymmetricKeyType, asymmetricKeyDetails } = reading.key;
  if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    return refused(
      'the APNs key file holds no EC key on the curve P-256: use the .p8 file that Apple gave you',
    );
  }
  const privateKey = privateKeyPem(reading.key);
  return { ok: true, credential: { kind: 'apns-key', keyId, teamId, privateKey }, notes: [] };
}
