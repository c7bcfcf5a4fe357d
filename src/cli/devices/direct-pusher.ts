import { randomUUID } from 'node:crypto';
import type { App } from '../../apps/app.ts';
import type { Config } from '../../config/config.ts';
import type { Device } from '../../devices/device.ts';
import { monotonic } from '../../lib/monotonic.ts';
import type { PushEnded } from '../../push/push-events.ts';
import { createPushParts, type PushOrigins } from '../../service/push-parts.ts';
import { withStores } from '../kit/with-stores.ts';
import { emptyRecord, type PushRecord, type PushUnderWay, recordingEvents } from './direct-push-record.ts';

/** A push to send from this process. */
export interface DirectPushAsk {
  readonly app: App;
  readonly device: Device;
  readonly phoneNumber: string;
  /** Where the app is to answer; undefined where the service's address is not known. */
  readonly responseApi: string | undefined;
  /** Milliseconds after which the push service's word is not waited for any more. */
  readonly timeoutMs: number;
}

/** How it ended, and how long its steps took, milliseconds. Connecting and the credential go on side by side. */
export interface DirectPush {
  readonly verdict: PushEnded['verdict'];
  /** The push service's word, or ours. */
  readonly reason: string;
  /** What the push service said, where `reason` does not. */
  readonly detail: string | undefined;
  /** Undefined where no connection was made, or the one of the push before was used. */
  readonly connectMs: number | undefined;
  /** Undefined where none was made: a certificate, or the token of the push before. */
  readonly credentialMs: number | undefined;
  /** From connection and credential being there to the push service's word. */
  readonly pushMs: number;
  readonly tookMs: number;
  /** Why the push service or Google's token endpoint was not reached. */
  readonly connectError: string | undefined;
}

/**
 * Sends calls without the service: one at a time. Nothing it learns of tokens and apps reaches the database; Apple's
 * provider token is shared with the service there, because Apple refuses a key whose token changes within 20 minutes.
 */
export interface DirectPusher {
  push(ask: DirectPushAsk): Promise<DirectPush>;
  close(): Promise<void>;
}

/** Failed tries to connect after which the push service counts as unreachable: a person waits. */
const MAX_CONNECT_FAILURES = 3;

/** Makes a pusher of the same parts as the service's. */
export function createDirectPusher(
  origins: PushOrigins & Pick<Config, 'databaseUrl' | 'databaseSetting' | 'credentialKeys' | 'proxies'>,
): DirectPusher {
  let underWay: PushUnderWay | undefined;
  const parts = createPushParts({
    origins,
    proxies: origins.proxies.push,
    maxInFlight: 1,
    tokens: { dropToken: async () => false, setSandbox: async () => false },
    sharedTokens: {
      load: (id) => withStores(origins, ({ providerTokens }) => providerTokens.load(id)),
      replace: (id, next, previous) =>
        withStores(origins, ({ providerTokens }) => providerTokens.replace(id, next, previous)),
    },
    events: recordingEvents(() => underWay),
  });

  return {
    push: async (ask) => {
      const record = emptyRecord();
      const unreachable = Promise.withResolvers<void>();
      underWay = {
        record,
        app: ask.app.key,
        origin: originOf(ask, origins),
        onConnectFailed: () => {
          if (record.connectFailures >= MAX_CONNECT_FAILURES) unreachable.resolve();
        },
      };
      const startedAt = monotonic();
      parts.senders.update([ask.app]);
      await Promise.race([parts.sender.send(requestOf(ask, startedAt)), unreachable.promise]);
      underWay = undefined;
      return resultOf(record, startedAt);
    },
    close: () => parts.close(),
  };
}

function originOf({ device }: DirectPushAsk, origins: PushOrigins): string {
  if (device.platform !== 'apns') return origins.fcmUrl;
  return device.sandbox === true ? origins.apnsSandboxUrl : origins.apnsUrl;
}

function requestOf({ device, phoneNumber, responseApi, timeoutMs }: DirectPushAsk, now: number) {
  const id = randomUUID();
  return {
    id,
    device,
    message: {
      kind: 'call',
      uniqueKey: id.replaceAll('-', ''),
      phoneNumber,
      callerId: TEST_CALLER,
      responseApi: responseApi ?? NOWHERE,
      messageStartTime: Date.now() / 1000,
      attempt: 1,
    },
    deadline: now + timeoutMs,
    wanted: () => true,
  } as const;
}

/** An app cannot read a push without an address to answer to. */
const NOWHERE = 'http://127.0.0.1/api/call-response/';

/** What the phone shows as the caller's name. */
export const TEST_CALLER = 'Test call';

function resultOf(record: PushRecord, startedAt: number): DirectPush {
  const endedAt = monotonic();
  const { connected, credentialAt, connectError, credentialError } = record;
  const readyAt = Math.max(startedAt, connected?.at ?? 0, credentialAt ?? 0);
  return {
    ...(record.ended ?? {
      verdict: 'unavailable',
      reason: record.connectReason ?? 'unreachable',
      detail: undefined,
    }),
    connectMs: connected?.tookMs,
    credentialMs: credentialAt === undefined ? undefined : credentialAt - startedAt,
    pushMs: endedAt - readyAt,
    tookMs: endedAt - startedAt,
    connectError:
      (connected === undefined ? connectError : undefined) ??
      (credentialAt === undefined ? credentialError : undefined),
  };
}
