import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { App, AppCredential } from '../../../src/apps/app.ts';
import type { Device } from '../../../src/devices/device.ts';
import type { Channel, ChannelReply, ChannelRequest } from '../../../src/http2/channel-types.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import type { PushEvents } from '../../../src/push/push-events.ts';
import type { CallMessage } from '../../../src/push/push-message.ts';
import type { PushRequest, PushVariant } from '../../../src/push/push-provider.ts';

/** A clock that moves when it is told to; its timers run on the way. */
export interface HandClock extends Clock {
  /** Moves both clocks, runs the timers that come due, and lets everything that waits for them go on. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock alone. */
  jumpWall(ms: number): void;
  /** How many timers wait. */
  timers(): number;
}

/** Lets promises that can go on go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits for something that ends on another thread; fails after ten seconds. */
export async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !holds(); await settle())
    if (performance.now() > end) throw new Error('It did not come about within ten seconds');
}

export function createHandClock(wallStart = 1_800_000_000_000): HandClock {
  let now = 5_000;
  let wallOffset = wallStart - now;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  return {
    now: () => now,
    wall: () => now + wallOffset,
    after: (ms, run) => {
      const timer = { at: now + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    jumpWall: (ms) => {
      wallOffset += ms;
    },
    timers: () => timers.size,
    advance: async (ms) => {
      const end = now + ms;
      await settle();
      for (;;) {
        const due = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.run();
        await settle();
      }
      now = end;
    },
  };
}

/** A channel that answers as it is told and keeps what it was sent. */
export interface ScriptedChannel extends Channel {
  readonly sent: ChannelRequest[];
  readonly counts: { renewals: number; warmings: number; closings: number };
}

/** `answer` is asked for every request. */
export function createScriptedChannel(
  answer: (request: ChannelRequest, index: number) => ChannelReply | Promise<ChannelReply>,
): ScriptedChannel {
  const sent: ChannelRequest[] = [];
  const counts = { renewals: 0, warmings: 0, closings: 0 };
  return {
    sent,
    counts,
    request: async (request) => {
      sent.push(request);
      return answer(request, sent.length - 1);
    },
    warm: () => {
      counts.warmings += 1;
    },
    renew: () => {
      counts.renewals += 1;
    },
    close: async () => {
      counts.closings += 1;
    },
  };
}

export function answered(
  status: number,
  body: unknown = '',
  headers: Readonly<Record<string, string>> = {},
): ChannelReply {
  return { kind: 'answered', status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** Every event that was told, in order. */
export interface RecordedEvents extends PushEvents {
  readonly told: { readonly name: string; readonly event: object }[];
  named(name: keyof PushEvents): object[];
}

export function recordEvents(): RecordedEvents {
  const told: { readonly name: string; readonly event: object }[] = [];
  const keep = (name: string) => (event: object) => {
    told.push({ name, event });
  };
  return {
    told,
    named: (name) => told.filter((entry) => entry.name === name).map((entry) => entry.event),
    pushEnded: keep('pushEnded'),
    pushRetried: keep('pushRetried'),
    breakerChanged: keep('breakerChanged'),
    tokenDropped: keep('tokenDropped'),
    tokenKept: keep('tokenKept'),
    tokenStoreFailed: keep('tokenStoreFailed'),
    pushRefused: keep('pushRefused'),
    appFault: keep('appFault'),
    ourFault: keep('ourFault'),
    appRetired: keep('appRetired'),
    appCloseFailed: keep('appCloseFailed'),
    apnsTokenMinted: keep('apnsTokenMinted'),
    apnsTokenNotShared: keep('apnsTokenNotShared'),
    fcmTokenFetched: keep('fcmTokenFetched'),
    fcmTokenFailed: keep('fcmTokenFailed'),
  };
}

/** A key pair as credentials hold it. */
export interface TestKey {
  readonly pem: string;
  readonly publicKey: KeyObject;
}

export function makeEcKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { pem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), publicKey };
}

export function makeRsaKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { pem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), publicKey };
}

export function apnsKey(privateKey: string, keyId = 'KEY1234567') {
  return { kind: 'apns-key', teamId: 'TEAM123456', keyId, privateKey } as const;
}

export function fcmAccount(privateKey: string, tokenUri: string) {
  return {
    kind: 'fcm-service-account',
    projectId: 'project-one',
    clientEmail: 'push@project-one.iam.gserviceaccount.com',
    privateKeyId: 'account-key-1',
    privateKey,
    tokenUri,
  } as const;
}

export function makeApp(credential: AppCredential, over: Partial<App> = {}): App {
  const apple = credential.kind !== 'fcm-service-account';
  return {
    key: 1,
    platform: apple ? 'apns' : 'android',
    appId: apple ? 'com.example.phone' : 'com.example.android',
    credential,
    revision: 1,
    ...over,
  };
}

export function makeDevice(over: Partial<Device> = {}): Device {
  return {
    account: 123_456_789,
    appKey: 1,
    platform: 'apns',
    appId: 'com.example.phone',
    token: 'a1b2c3d4',
    sandbox: false,
    name: null,
    osVersion: null,
    clientVersion: null,
    remoteLoggingId: null,
    pushProfile: null,
    remoteNotificationToken: null,
    registeredAt: 1_700_000_000_000,
    lastSeenAt: 1_700_000_000_000,
    ...over,
  };
}

export function makeCall(over: Partial<CallMessage> = {}): CallMessage {
  return {
    kind: 'call',
    uniqueKey: '0123456789abcdef0123456789abcdef',
    phoneNumber: '+31501234567',
    callerId: 'Reception',
    responseApi: 'https://wake.example.com/api/call-response/',
    messageStartTime: 1_574_950_000.123_456,
    attempt: 1,
    ...over,
  };
}

export function makeRequest(clock: Clock, over: Partial<PushRequest> = {}): PushRequest {
  return {
    id: '6f9619ff-8b86-4d11-b42d-00c04fc964ff',
    device: makeDevice(),
    message: makeCall(),
    deadline: clock.now() + 4_000,
    wanted: () => true,
    ...over,
  };
}

export const PLAIN: PushVariant = { minimal: false, otherEnvironment: false };
