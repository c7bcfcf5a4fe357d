import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpEvents } from '../http-events.ts';
import { contentType, rawBody } from '../listener/raw-body.ts';
import { sendDetail, sendMalformed } from './app-replies.ts';
import { type BodyResult, fieldsResult } from './body/body-result.ts';
import { NO_FIELDS, type RawFields } from './body/raw-fields.ts';
import { readBody } from './body/read-body.ts';
import { readForm } from './body/read-form.ts';
import type { TextEncoding } from './body/read-json.ts';

/** Why a body could not be read, in words for whoever sent it. */
export type UnreadableBody =
  | {
      readonly status: 415;
      readonly problem: 'media type' | 'Content-Encoding';
      readonly detail: string;
    }
  | { readonly status: 400; readonly detail: string };

/** The fields of a body, or why there are none. */
export type FieldsRead = { readonly fields: RawFields } | { readonly unreadable: UnreadableBody };

/**
 * Reads the body of a request in whatever of the three forms it came; a DELETE without body reads its query. Only a
 * multipart body needs a promise. `encoding`: see `readBody`.
 */
export function readFields(
  request: FastifyRequest,
  encoding: TextEncoding = 'strict',
): FieldsRead | Promise<FieldsRead> {
  const raw = rawBody(request);
  if (raw.length === 0) {
    if (request.method !== 'DELETE') return { fields: NO_FIELDS };
    const query = readQuery(request.url);
    return query.kind === 'fields' ? { fields: query.fields } : { unreadable: MALFORMED_BODY };
  }
  const { 'content-encoding': coding = 'identity' } = request.headers;
  if (coding.trim().toLowerCase() !== 'identity') return { unreadable: ENCODED };
  const body = readBody(contentType(request), raw, encoding);
  return body instanceof Promise ? body.then(fieldsOf) : fieldsOf(body);
}

function fieldsOf(body: BodyResult): FieldsRead {
  switch (body.kind) {
    case 'fields':
      return { fields: body.fields };
    case 'unsupported-media-type':
      return { unreadable: unsupported(body.mediaType) };
    case 'bad-json':
      return { unreadable: { status: 400, detail: body.detail } };
    case 'malformed':
      return { unreadable: MALFORMED_BODY };
    default:
      return body satisfies never;
  }
}

const MALFORMED_BODY: UnreadableBody = { status: 400, detail: 'Malformed request.' };

/** No app or PBX compresses its few bytes, and what unpacks to any size is not to be unpacked. */
const ENCODED: UnreadableBody = {
  status: 415,
  problem: 'Content-Encoding',
  detail: 'Unsupported Content-Encoding in request: send the body as it is.',
};

function unsupported(mediaType: string): UnreadableBody {
  return { status: 415, problem: 'media type', detail: `Unsupported media type "${mediaType}" in request.` };
}

/** What is wrong with it, for the log. */
export function problemOf(body: UnreadableBody): string {
  return body.status === 415 ? body.problem : body.detail;
}

/** What was read, at the endpoints that apps use: what could not be is answered here, and undefined comes back. */
export function appFieldsOf(
  read: FieldsRead,
  reply: FastifyReply,
  endpoint: string,
  events: Pick<HttpEvents, 'requestInvalid'>,
): RawFields | undefined {
  if ('fields' in read) return read.fields;
  const { status, detail } = read.unreadable;
  events.requestInvalid({ endpoint, field: 'body', problem: problemOf(read.unreadable) });
  sendDetail(status === 400 ? reply.header('x-invalid-field', 'body') : reply, status, detail);
  return undefined;
}

/** Answers a field that makes no sense. */
export function refuseField(
  reply: FastifyReply,
  endpoint: string,
  invalid: { readonly field: string; readonly problem: string },
  events: Pick<HttpEvents, 'requestInvalid'>,
): void {
  events.requestInvalid({ endpoint, field: invalid.field, problem: invalid.problem });
  sendMalformed(reply, invalid.field);
}

/** Reads the query string of a request target as a form: the iOS phone library's DELETE sends its fields there. */
export function readQuery(url: string): BodyResult {
  const start = url.indexOf('?');
  return start === -1 ? fieldsResult(NO_FIELDS) : readForm(url.slice(start + 1));
}
