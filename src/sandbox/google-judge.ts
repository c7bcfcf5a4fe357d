import type { IncomingHttpHeaders } from 'node:http2';
import type { Readable } from 'node:stream';
import { isRecord } from '../lib/is-record.ts';
import type { GoogleRefusal } from './google-error.ts';
import { checkGoogleMessage, type GoogleMessage } from './google-message.ts';
import type { GoogleTokens } from './google-tokens.ts';
import { parseJson } from './parse-json.ts';
import { readBody } from './read-body.ts';

/** What Google makes of a request to messages:send. */
export type GoogleAnswer =
  | GoogleRefusal
  | { readonly kind: 'accepted'; readonly projectId: string; readonly message: GoogleMessage };

const MAX_BODY_BYTES = 65_536;
const PATH = /^\/v1\/projects\/([^/?]+)\/messages:send$/;

function refuse(status: number, message: string, errorCode?: string): GoogleRefusal {
  return {
    kind: 'refused',
    status,
    message,
    errorCode,
  };
}

/** The push token that a request is for, as far as it can be told without judging it; empty where it cannot. */
export function googleTokenOf(body: unknown): string {
  const message = isRecord(body) ? body['message'] : undefined;
  const token = isRecord(message) ? message['token'] : undefined;
  return typeof token === 'string' ? token : '';
}

/** Reads the body of messages:send; undefined: not JSON, too large or cut off. Never rejects. */
export async function readGoogleBody(stream: Readable): Promise<unknown> {
  const body = await readBody(stream, MAX_BODY_BYTES);
  return body.kind === 'whole' ? parseJson(body.bytes.toString('utf8')) : undefined;
}

/** Makes the one who decides on messages; `dead` holds the tokens of uninstalled apps. */
export function createGoogleJudge(known: {
  readonly tokens: Pick<GoogleTokens, 'projectOf'>;
  readonly dead: { has(token: string): boolean };
}) {
  const authorize = (headers: IncomingHttpHeaders, projectId: string): GoogleRefusal | undefined => {
    const accessToken = /^bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
    const owner = known.tokens.projectOf(accessToken);
    if (owner === undefined) {
      const text = 'Request had invalid authentication credentials. Expected OAuth 2 access token.';
      return refuse(401, text);
    }
    return owner === projectId
      ? undefined
      : refuse(403, "Permission 'cloudmessaging.messages.create' denied on resource.");
  };

  /** Stops at the first check that fails. */
  return (headers: IncomingHttpHeaders, body: unknown): GoogleAnswer => {
    const projectId = PATH.exec(headers[':path'] ?? '')?.[1];
    if (projectId === undefined || headers[':method'] !== 'POST') {
      return refuse(404, 'Requested entity was not found.');
    }
    const unauthorized = authorize(headers, projectId);
    if (unauthorized !== undefined) return unauthorized;
    const message = checkGoogleMessage(body);
    if (message.kind === 'refused') return message;
    if (known.dead.has(message.token)) return refuse(404, 'NotRegistered', 'UNREGISTERED');
    return { kind: 'accepted', projectId, message };
  };
}
