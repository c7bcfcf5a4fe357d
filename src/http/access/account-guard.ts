import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpEvents } from '../http-events.ts';
import {
  sendDetail,
  sendLimited,
  sendMalformed,
  sendMethodNotAllowed,
  sendUnauthenticated,
  sendUnavailable,
} from '../wire/app-replies.ts';
import type { RawFields } from '../wire/body/raw-fields.ts';
import type { BodySchema, BodyValue, Fields } from '../wire/fields/body-schema.ts';
import { type DecodedBody, decodeFields } from '../wire/fields/decode-fields.ts';
import { accountField } from '../wire/fields/field-kinds.ts';
import { appFieldsOf, readFields, refuseField } from '../wire/read-fields.ts';
import type { AccountAccess, AccountVerdict } from './account-access.ts';
import type { AccountLimit, AccountRate } from './limits/client-limits.ts';

/** What the check of an account's request needs. */
export interface AccountDeps {
  readonly endpoint: string;
  readonly access: AccountAccess;
  readonly limit: AccountLimit;
  /** How often an account may be let through; undefined: as often as it likes. */
  readonly rate?: AccountRate;
  readonly events: Pick<HttpEvents, 'requestRefused' | 'requestInvalid'>;
}

/**
 * Reads a request that acts for an account, in the order in which the reference looked at it: credentials there at all
 * (401), body readable (415, 400), account number (400), the platform's verdict (401, 403, 503), everything else in the
 * body (400). Undefined when it has been answered.
 */
export async function readAccountFields<F extends Fields>(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  schema: BodySchema<F>,
): Promise<BodyValue<F> | undefined> {
  const raw = await readAsAccount(deps, request, reply);
  if (raw === undefined) return undefined;
  const decoded = decodeFields(schema, raw);
  if (decoded.ok) return decoded.value;
  refuseField(reply, deps.endpoint, decoded, deps.events);
  return undefined;
}

/** The same for a report whose other fields may be anything. */
export async function readAccountReport(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<ReadonlyMap<string, unknown> | undefined> {
  return (await readAsAccount(deps, request, reply))?.toMap();
}

/** A method that the endpoint does not have: who may not use it at all hears that first. */
export async function refuseMethod(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  allowed: readonly string[],
): Promise<FastifyReply> {
  if ((await readAsAccount(deps, request, reply)) === undefined) return reply;
  return sendMethodNotAllowed(reply, request.method, allowed);
}

async function readAsAccount(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<RawFields | undefined> {
  const authorization = request.headers.authorization?.trim() ?? '';
  if (deps.access.asks && authorization === '') {
    deps.events.requestRefused({ endpoint: deps.endpoint, why: 'unauthenticated' });
    sendUnauthenticated(reply, 'Authentication credentials were not provided.');
    return undefined;
  }
  const raw = appFieldsOf(await readFields(request), reply, deps.endpoint, deps.events);
  if (raw === undefined) return undefined;
  const account = decodeAccount(raw);
  if (!account.ok) {
    refuseField(reply, deps.endpoint, account, deps.events);
    return undefined;
  }
  const blockedForMs = deps.access.asks ? deps.limit.blockedForMs(request, account.value) : 0;
  if (isLimited(deps, reply, Math.max(blockedForMs, rateBlockedForMs(deps, account.value)))) return undefined;
  if (deps.access.asks) {
    if (!(await isTheirs(deps, request, reply, authorization, account.value))) return undefined;
    // Others of the account, sent at the same moment, may have been let through while the platform judged.
    if (isLimited(deps, reply, rateBlockedForMs(deps, account.value))) return undefined;
  }
  deps.rate?.came(account.value);
  return raw;
}

function rateBlockedForMs({ rate }: AccountDeps, account: number): number {
  return rate?.blockedForMs(account) ?? 0;
}

/** Answers where the limit is reached. */
function isLimited(deps: AccountDeps, reply: FastifyReply, blockedForMs: number): boolean {
  if (blockedForMs === 0) return false;
  deps.events.requestRefused({ endpoint: deps.endpoint, why: 'limited' });
  sendLimited(reply, blockedForMs);
  return true;
}

/** Whether the platform says that the account is this user's; answered where it does not. */
async function isTheirs(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  authorization: string,
  account: number,
): Promise<boolean> {
  const judged = deps.limit.begins(request, account);
  const verdict = await deps.access.check(authorization, account);
  // The platform's server may refuse such a header as HTTP, before anybody judges it: that is the client's fault.
  const isMalformed = verdict === 'unavailable' && !ORDINARY.test(authorization);
  judged(isMalformed || verdict === 'unauthenticated' || verdict === 'forbidden');
  if (!isMalformed) return isAllowed(deps, verdict, reply);
  deps.events.requestRefused({ endpoint: deps.endpoint, why: 'unauthenticated' });
  sendMalformed(reply, 'authorization');
  return false;
}

/** Visible ASCII (RFC 9110, 11.4, but for quoted strings), and no longer than web servers take a header by default. */
const ORDINARY = /^[\t\x20-\x7e]{1,8000}$/;

function isAllowed(deps: AccountDeps, verdict: AccountVerdict, reply: FastifyReply): boolean {
  const refuse = (why: 'unauthenticated' | 'forbidden' | 'platform-down') =>
    deps.events.requestRefused({ endpoint: deps.endpoint, why });
  switch (verdict) {
    case 'allowed':
      return true;
    case 'unauthenticated':
      refuse('unauthenticated');
      sendUnauthenticated(reply, 'Incorrect authentication credentials.');
      return false;
    case 'forbidden':
      refuse('forbidden');
      sendDetail(reply, 403, 'You do not have permission to perform this action.');
      return false;
    case 'unavailable':
      refuse('platform-down');
      sendUnavailable(reply);
      return false;
    default:
      return verdict satisfies never;
  }
}

const NAME = 'sip_user_id';
const account = accountField();

/** The account alone: it is checked before the platform is asked whose it is, the other fields after. */
export function decodeAccount(raw: RawFields): DecodedBody<number> {
  const decoded = account.decode(raw.get(NAME), raw.source);
  return decoded.ok ? decoded : { ok: false, field: NAME, problem: decoded.problem };
}
