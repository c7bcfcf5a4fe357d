import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { ClientHttp2Session } from 'node:http2';
import { SignJWT } from 'jose';
import { createThrowAwayCa, type ThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { type Google, type GoogleOptions, startGoogle } from '../../src/sandbox/google.ts';
import type { ServiceAccount } from '../../src/sandbox/google-accounts.ts';
import { ask, openSession, type RawEnding } from './raw-http2.ts';

/** The project that the fixture has a service account for. */
export const PROJECT_ID = 'example-project';
/** What an assertion claims, where it is not right. */
export interface Claims {
  readonly iss?: string;
  readonly aud?: string;
  readonly scope?: string;
  readonly iat?: number;
  readonly exp?: number;
  readonly forge?: boolean;
}

/** Google's stand-in with a service account, and what a sender needs for it. */
export interface GoogleFixture {
  readonly google: Google;
  readonly ca: ThrowAwayCa;
  readonly account: ServiceAccount;
  readonly session: ClientHttp2Session;
  /** The form for the token endpoint. */
  form(claims?: Claims): Promise<string>;
  /** Trades a form for an answer over HTTP/2. */
  trade(form: string): Promise<RawEnding>;
  accessToken(): Promise<string>;
  send(authorization: string, body: unknown, path?: string): Promise<RawEnding>;
  close(): Promise<void>;
}

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';

/** Starts it, with one session open. */
export async function startGoogleFixture(options: Partial<GoogleOptions> = {}): Promise<GoogleFixture> {
  const ca = createThrowAwayCa();
  const google = await startGoogle({ ca, ...options });
  const account = await google.createServiceAccount({ projectId: PROJECT_ID });
  const session = openSession(google.origin, { ca: ca.certificate });

  const form = async ({ forge = false, ...claims }: Claims = {}): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    const key = forge
      ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
      : createPrivateKey(account.private_key);
    const right = {
      iss: account.client_email,
      aud: account.token_uri,
      scope: SCOPE,
      iat: now,
      exp: now + 3600,
    };
    const assertion = await new SignJWT({ ...right, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: account.private_key_id })
      .sign(key);
    const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    return new URLSearchParams({ grant_type: grantType, assertion }).toString();
  };
  const trade = (body: string): Promise<RawEnding> =>
    ask(session, { ':path': '/token', 'content-type': 'application/x-www-form-urlencoded' }, body);
  return {
    google,
    ca,
    account,
    session,
    form,
    trade,
    accessToken: async () => JSON.parse((await trade(await form())).body).access_token,
    send: (authorization, body, path = `/v1/projects/${PROJECT_ID}/messages:send`) =>
      ask(
        session,
        { ':path': path, authorization, 'content-type': 'application/json' },
        typeof body === 'string' ? body : JSON.stringify(body),
      ),
    close: async () => {
      session.destroy();
      await google.close();
    },
  };
}
