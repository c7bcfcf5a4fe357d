import { randomBytes } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { monotonic } from '../lib/monotonic.ts';
import type { GoogleAccounts, KnownAccount } from './google-accounts.ts';
import type { Reply } from './serve-stream.ts';

/** The OAuth2 side of Google: trades signed assertions for access tokens (RFC 7523) and knows them again. */
export interface GoogleTokens {
  /** Answers the form that was posted to the token endpoint. Never rejects. */
  trade(form: URLSearchParams): Promise<Reply>;
  /** The project that an access token is for; undefined: unknown or expired. */
  projectOf(accessToken: string): string | undefined;
  /** How many access tokens were given out. */
  issued(): number;
  /** Every access token given out so far stops to work. */
  revokeAll(): void;
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const SCOPE = /(^| )https:\/\/www\.googleapis\.com\/auth\/(firebase\.messaging|cloud-platform)( |$)/;
const MAX_ASSERTION_S = 3600;
const CLOCK_SKEW_S = 60;
const MAX_TOKENS = 10_000;

/** An OAuth2 error (RFC 6749 section 5.2) as a reply. */
export function renderOauthError(status: number, error: string, description?: string): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ error, error_description: description }),
  };
}

function denied(description: string): Reply {
  return renderOauthError(400, 'invalid_grant', description);
}

type Verified =
  | { readonly kind: 'verified'; readonly account: KnownAccount; readonly claims: JWTPayload }
  | { readonly kind: 'denied'; readonly reply: Reply };

async function verify(accounts: GoogleAccounts, assertion: string, tokenUri: string): Promise<Verified> {
  try {
    const account = accounts.find(decodeJwt(assertion).iss ?? '');
    if (account === undefined) {
      return { kind: 'denied', reply: denied('Invalid grant: account not found') };
    }
    const { payload, protectedHeader } = await jwtVerify(assertion, account.publicKey, {
      algorithms: ['RS256'],
      audience: tokenUri,
      requiredClaims: ['iat', 'exp'],
      clockTolerance: CLOCK_SKEW_S,
    });
    return protectedHeader.kid === undefined || protectedHeader.kid === account.keyId
      ? { kind: 'verified', account, claims: payload }
      : { kind: 'denied', reply: denied('Invalid JWT Signature.') };
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      return { kind: 'denied', reply: denied('Invalid JWT Signature.') };
    }
    if (error instanceof errors.JOSEError)
      return { kind: 'denied', reply: denied(`Invalid JWT: ${error.code}`) };
    throw error;
  }
}

function tooLong({ iat = 0, exp = 0 }: JWTPayload): boolean {
  return exp - iat > MAX_ASSERTION_S || iat > Date.now() / 1000 + CLOCK_SKEW_S;
}

/** Makes the token endpoint's memory; access tokens live `lifetimeS` seconds. */
export function createGoogleTokens(options: {
  readonly accounts: GoogleAccounts;
  readonly tokenUri: () => string;
  readonly lifetimeS: number;
}): GoogleTokens {
  const tokens = new Map<string, { readonly projectId: string; readonly until: number }>();
  let issued = 0;

  const issue = (projectId: string): Reply => {
    const oldest = tokens.keys().next();
    if (tokens.size >= MAX_TOKENS && oldest.done !== true) tokens.delete(oldest.value);
    const accessToken = `ya29.${randomBytes(32).toString('base64url')}`;
    tokens.set(accessToken, { projectId, until: monotonic() + options.lifetimeS * 1000 });
    issued += 1;
    return {
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({
        access_token: accessToken,
        expires_in: options.lifetimeS,
        token_type: 'Bearer',
      }),
    };
  };

  return {
    trade: async (form) => {
      if (form.get('grant_type') !== GRANT_TYPE) return renderOauthError(400, 'unsupported_grant_type');
      const verified = await verify(options.accounts, form.get('assertion') ?? '', options.tokenUri());
      if (verified.kind === 'denied') return verified.reply;
      const { claims, account } = verified;
      if (tooLong(claims)) {
        return denied(
          'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.',
        );
      }
      if (!SCOPE.test(String(claims['scope'] ?? ''))) {
        return renderOauthError(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
      }
      return issue(account.projectId);
    },
    projectOf: (accessToken) => {
      const known = tokens.get(accessToken);
      return known !== undefined && known.until > monotonic() ? known.projectId : undefined;
    },
    issued: () => issued,
    revokeAll: () => tokens.clear(),
  };
}
