import { readFcmServiceAccount } from '../../src/apps/credential/read-fcm-service-account.ts';
import { SANDBOX_APPS } from '../../src/cli/sandbox/sandbox-apps.ts';
import type { Device } from '../../src/devices/device.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { DIRECTLY } from '../../src/lib/proxy-route.ts';
import { newPushId } from '../../src/lib/push-id.ts';
import { createPushParts } from '../../src/service/push-parts.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { isApple, tokenOf } from '../load/calls.ts';
import type { PhoneWorld } from '../phones/phones-process.ts';
import type { PushCall } from './push-call.ts';

const APPLE_APP = 1;
const GOOGLE_APP = 2;
const LIFETIME_MS = 30_000;

/** The service's whole push side as `service/start-service.ts` builds it, its log and metrics included; phones are not looked up. */
export async function createServiceSender(world: PhoneWorld): Promise<PushCall> {
  const telemetry = createTelemetry({
    openLog: (onDropped) => createLog({ level: 'info', format: 'json', onDropped }),
    dockerTag: 'bench',
    load: {
      callsWaiting: () => 0,
      connections: async () => 0,
      pushesInFlight: () => [],
      loop: { delayMs: 0, late: false },
    },
    limits: { callsWaiting: 1, connections: 1, pushesInFlight: 2_000, loopDelayMs: 0 },
    origins: [],
    countDevices: async () => [],
    usesRedis: false,
  });
  const { APNS_URL = '', APNS_SANDBOX_URL = '', FCM_URL = '' } = world.settings;
  const parts = createPushParts({
    proxies: DIRECTLY,
    origins: { apnsUrl: APNS_URL, apnsSandboxUrl: APNS_SANDBOX_URL, fcmUrl: FCM_URL },
    maxInFlight: 2_000,
    tokens: { dropToken: async () => false, setSandbox: async () => false },
    sharedTokens: { load: async () => undefined, replace: async (_id, next) => next },
    events: telemetry.push,
  });
  const account = readFcmServiceAccount(world.serviceAccount);
  if (!account.ok) throw new Error(`the sandbox's service account is not usable: ${account.problem}`);
  parts.senders.update([
    {
      key: APPLE_APP,
      platform: 'apns',
      appId: SANDBOX_APPS.apns,
      credential: { kind: 'apns-key', ...world.teamKey },
      revision: 1,
    },
    {
      key: GOOGLE_APP,
      platform: 'android',
      appId: SANDBOX_APPS.android,
      credential: account.credential,
      revision: 1,
    },
  ]);
  return async ({ account: number, uniqueKey }) => {
    const { kind, reason } = await parts.sender.send({
      id: newPushId(),
      device: deviceOf(number),
      message: {
        kind: 'call',
        uniqueKey,
        phoneNumber: '+31201234567',
        callerId: 'Alice Example',
        responseApi: 'http://127.0.0.1:8080/api/call-response/',
        messageStartTime: Date.now() / 1000,
        attempt: 1,
      },
      deadline: monotonic() + LIFETIME_MS,
      wanted: () => true,
    });
    if (kind !== 'accepted') throw new Error(`a push was not accepted: ${kind}, ${reason}`);
  };
}

function deviceOf(account: number): Device {
  return {
    account,
    appKey: isApple(account) ? APPLE_APP : GOOGLE_APP,
    platform: isApple(account) ? 'apns' : 'android',
    appId: isApple(account) ? SANDBOX_APPS.apns : SANDBOX_APPS.android,
    token: tokenOf(account),
    sandbox: null,
    name: null,
    osVersion: null,
    clientVersion: null,
    remoteLoggingId: null,
    pushProfile: 'once',
    remoteNotificationToken: null,
    registeredAt: 0,
    lastSeenAt: 0,
  };
}
