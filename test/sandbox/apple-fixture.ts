import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2';
import { SignJWT } from 'jose';
import { type Apple, type AppleOptions, startApple } from '../../src/sandbox/apple.ts';
import { createThrowAwayCa, type ThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { openSession } from './raw-http2.ts';

/** A well-formed device token. */
export const TOKEN = 'ab'.repeat(32);
/** The app under test. */
export const BUNDLE_ID = 'com.example.phone';
const TEAM_ID = 'TEAM123456';
/** The key that the fixture registers. */
export const KEY_ID = 'KEY1234567';

/** Apple's stand-in with one key, and what a sender needs for it. */
export interface AppleFixture {
  readonly apple: Apple;
  readonly ca: ThrowAwayCa;
  connect(options?: SecureClientSessionOptions): ClientHttp2Session;
  jwt(claims?: { iat?: number; iss?: string; kid?: string; forge?: boolean }): Promise<string>;
  headers(authorization?: string): Record<string, string>;
  close(): Promise<void>;
}

/** Starts it; every session that was connected is destroyed by `close`. */
export async function startAppleFixture(options: Partial<AppleOptions> = {}): Promise<AppleFixture> {
  const ca = createThrowAwayCa();
  const apple = await startApple({ ca, ...options });
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  apple.registerKey({ keyId: KEY_ID, teamId: TEAM_ID, publicKey });
  const sessions: ClientHttp2Session[] = [];
  return {
    apple,
    ca,
    connect: (more = {}) => {
      const session = openSession(apple.origin, { ca: ca.certificate, ...more });
      sessions.push(session);
      return session;
    },
    jwt: async ({ iat = Math.floor(Date.now() / 1000), iss = TEAM_ID, kid = KEY_ID, forge = false } = {}) =>
      `bearer ${await new SignJWT({ iss, iat })
        .setProtectedHeader({ alg: 'ES256', kid })
        .sign(forge ? other.privateKey : pair.privateKey)}`,
    headers: (authorization) => ({
      ':path': `/3/device/${TOKEN}`,
      'apns-topic': `${BUNDLE_ID}.voip`,
      'apns-push-type': 'voip',
      'apns-priority': '10',
      'apns-expiration': '0',
      'apns-id': randomUUID(),
      ...(authorization === undefined ? {} : { authorization }),
    }),
    close: async () => {
      for (const session of sessions) session.destroy();
      await apple.close();
    },
  };
}
