import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Platform } from '../../apps/platform.ts';
import type { DeviceStore } from '../../devices/device-store.ts';
import type { DeviceRegistration } from '../../devices/register-device.ts';
import type { PhoneRegistered } from '../../devices/register-phone.ts';
import type { AccountAccess } from '../access/account-access.ts';
import { type AccountDeps, readAccountFields, refuseMethod } from '../access/account-guard.ts';
import type { AccountLimit, AccountRate } from '../access/limits/client-limits.ts';
import type { HttpEvents } from '../http-events.ts';
import { sendDone, sendNotFound } from '../wire/app-replies.ts';
import { oddTokenShape } from '../wire/fields/ios-token-shape.ts';
import { ENDPOINTS } from '../wire/paths.ts';
import { DeviceRegistrationBody, DeviceRemovalBody } from '../wire/schemas.ts';
import { route } from './route.ts';

/** What registering and unregistering phones needs. */
export interface DeviceDeps {
  readonly access: AccountAccess;
  readonly limit: AccountLimit;
  /** How often an account's phones may register and unregister. */
  readonly rate: AccountRate;
  /** Resolves once the row is committed, so that a phone that was told 200 or 201 can be woken whatever happens. */
  readonly register: (phone: DeviceRegistration) => Promise<PhoneRegistered>;
  readonly devices: Pick<DeviceStore, 'unregister'>;
  readonly events: HttpEvents;
}

const DEVICE_ENDPOINTS = [
  ['apns', ENDPOINTS.apnsDevice],
  ['gcm', ENDPOINTS.gcmDevice],
  ['android', ENDPOINTS.androidDevice],
] as const;

/** `POST` and `DELETE /api/{apns,gcm,android}-device/`. */
export function addDeviceRoutes(server: FastifyInstance, deps: DeviceDeps): void {
  for (const [platform, endpoint] of DEVICE_ENDPOINTS) {
    const guard: AccountDeps = { ...deps, endpoint: endpoint.name };
    route(server, endpoint, {
      POST: (request, reply) => register(guard, deps, platform, request, reply),
      DELETE: (request, reply) => unregister(guard, deps, platform, request, reply),
      otherwise: (request, reply) => refuseMethod(guard, request, reply, endpoint.methods),
    });
  }
}

async function register(
  guard: AccountDeps,
  deps: DeviceDeps,
  platform: Platform,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = await readAccountFields(guard, request, reply, DeviceRegistrationBody);
  if (body === undefined) return reply;
  const result = await deps.register({
    account: body.sip_user_id,
    platform,
    appId: body.app,
    token: body.token,
    sandbox: body.sandbox,
    name: body.name,
    osVersion: body.os_version,
    clientVersion: body.client_version,
    remoteLoggingId: body.remote_logging_id,
    pushProfile: body.push_profile,
    remoteNotificationToken: body.remote_notification_token,
  });
  if (result.kind === 'unknown-app') return sendNotFound(reply);
  deps.events.deviceRegistered({
    account: body.sip_user_id,
    platform,
    app: body.app,
    token: body.token,
    created: result.kind === 'created',
    takeover: result.takeover,
  });
  const shape = platform === 'apns' ? oddTokenShape(body.token) : undefined;
  if (shape !== undefined)
    deps.events.iosTokenOdd({ app: body.app, clientVersion: body.client_version, shape });
  return sendDone(reply, result.kind === 'created' ? 201 : 200);
}

async function unregister(
  guard: AccountDeps,
  deps: DeviceDeps,
  platform: Platform,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = await readAccountFields(guard, request, reply, DeviceRemovalBody);
  if (body === undefined) return reply;
  const phone = { account: body.sip_user_id, platform, appId: body.app, token: body.token };
  const found = await deps.devices.unregister(phone);
  deps.events.deviceUnregistered({ ...phone, app: phone.appId, found });
  return found ? sendDone(reply, 200) : sendNotFound(reply);
}
