import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DeviceStore } from '../../devices/device-store.ts';
import type { AccountAccess } from '../access/account-access.ts';
import {
  type AccountDeps,
  readAccountFields,
  readAccountReport,
  refuseMethod,
} from '../access/account-guard.ts';
import type { AccountLimit } from '../access/limits/client-limits.ts';
import type { HttpEvents } from '../http-events.ts';
import { sendNotFound, sendNothing } from '../wire/app-replies.ts';
import { ENDPOINTS } from '../wire/paths.ts';
import { CheckIn, HangupReason } from '../wire/schemas.ts';
import { type Handler, route } from './route.ts';

/** What the apps' reports need. */
export interface ReportDeps {
  readonly access: AccountAccess;
  readonly limit: AccountLimit;
  readonly devices: Pick<DeviceStore, 'exists' | 'checkIn'>;
  readonly events: HttpEvents;
}

/** `POST /api/hangup-reason/`, `/api/log-metrics/` and `/api/check-in/`: nothing comes back but a status. */
export function addReportRoutes(server: FastifyInstance, deps: ReportDeps): void {
  const add = (
    endpoint: (typeof ENDPOINTS)['hangupReason' | 'logMetrics' | 'checkIn'],
    post: (guard: AccountDeps, ...of: Parameters<Handler>) => Promise<FastifyReply>,
  ) => {
    const guard: AccountDeps = { ...deps, endpoint: endpoint.name };
    route(server, endpoint, {
      POST: (request, reply) => post(guard, request, reply),
      otherwise: (request, reply) => refuseMethod(guard, request, reply, endpoint.methods),
    });
  };
  add(ENDPOINTS.hangupReason, (guard, request, reply) => hangupReason(guard, deps, request, reply));
  add(ENDPOINTS.logMetrics, (guard, request, reply) => logMetrics(guard, deps, request, reply));
  add(ENDPOINTS.checkIn, (guard, request, reply) => checkIn(guard, deps, request, reply));
}

async function hangupReason(
  guard: AccountDeps,
  deps: ReportDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = await readAccountFields(guard, request, reply, HangupReason);
  if (body === undefined) return reply;
  if (!(await deps.devices.exists(body.sip_user_id))) return sendNotFound(reply);
  deps.events.hangupReported({
    account: body.sip_user_id,
    uniqueKey: body.unique_key,
    reason: body.reason ?? '',
  });
  return sendNothing(reply, 200);
}

async function logMetrics(
  guard: AccountDeps,
  deps: ReportDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const report = await readAccountReport(guard, request, reply);
  if (report === undefined) return reply;
  deps.events.metricsReported(report);
  return sendNothing(reply, 200);
}

async function checkIn(
  guard: AccountDeps,
  deps: ReportDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = await readAccountFields(guard, request, reply, CheckIn);
  if (body === undefined) return reply;
  return sendNothing(reply, (await deps.devices.checkIn(body.sip_user_id, Date.now())) ? 200 : 404);
}
