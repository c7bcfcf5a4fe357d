import type { App } from '../../../apps/app.ts';
import type { PushTarget } from '../../../devices/device.ts';
import type { SharedChannel } from '../../../http2/channel-pool.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Lease } from '../../../lib/ref-counted.ts';
import { withDetail } from '../../answer-detail.ts';
import { channelVerdict } from '../../channel-verdict.ts';
import type { PushProvider, PushRequest, PushVariant, PushVerdict } from '../../push-provider.ts';
import { readRetryAfter } from '../../retry-after.ts';
import { createSuspects } from '../../suspects.ts';
import { type ApnsAnswer, type ApnsMeaning, readApnsAnswer, readApnsGoaway } from './answers.ts';
import { alertPayload, callPayload, voipNoticePayload } from './payload.ts';
import type { ApnsToken } from './token.ts';
import { apnsVerdict } from './verdict.ts';

/** How long Apple may keep an alert for a phone that is off, seconds; a later one tells of a takeover long past. */
const ALERT_LIFETIME_S = 3_600;

/** Answers after which a fresh connection may do better. */
const WANTS_RENEWAL: ReadonlySet<ApnsMeaning> = new Set(['idle', 'broken-connection', 'out-of-service']);

/** Shortest time between two renewals of a connection for the same device, milliseconds. */
const RENEW_AGAIN_MS = 30_000;

/** Parts of an Apple provider. */
export interface ApnsProviderOptions {
  readonly app: App;
  readonly production: Lease<SharedChannel>;
  readonly sandbox: Lease<SharedChannel>;
  /** Absent for an app with a certificate, which its channels show. */
  readonly token: ApnsToken | undefined;
  readonly clock: Clock;
}

/** What is sent, beside the headers that every push has. */
interface Draft {
  readonly token: string;
  readonly topic: string;
  readonly pushType: 'voip' | 'alert';
  /** Seconds since the epoch; 0 is now or never. */
  readonly expiration: number;
  readonly body: string;
}

/**
 * One app's way to Apple's phones.
 * https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
 */
export function createApnsProvider(options: ApnsProviderOptions): PushProvider {
  const { app, clock, token } = options;
  const watches: (() => void)[] = [];
  const renewedFor = createSuspects(clock.now);

  /** Another connection may answer better; asked for by one device again and again it would not. */
  function renew(channel: SharedChannel, device: PushTarget, askedAt: number): void {
    const known = renewedFor.of(device);
    if (known !== undefined && clock.now() - known.since < RENEW_AGAIN_MS) return;
    renewedFor.clear(device);
    renewedFor.add(device);
    channel.renewAfter(askedAt);
  }

  async function send(request: PushRequest, variant: PushVariant): Promise<PushVerdict> {
    const draft = write(request, variant, app.appId, clock);
    if (draft === undefined) return { kind: 'our-fault', reason: 'notice-unsupported' };
    let authorization: string | undefined;
    try {
      const current = token?.current();
      authorization = typeof current === 'string' ? current : await current;
    } catch {
      // The error may quote the key: the verdict says which app's key it is.
      return { kind: 'app-fault', reason: 'key-unusable', unsent: true };
    }
    const sandbox = isSandbox(request.device) !== variant.otherEnvironment;
    const channel = sandbox ? options.sandbox.value : options.production.value;
    const askedAt = clock.now();
    const reply = await channel.request({
      path: `/3/device/${encodeURIComponent(draft.token.toWellFormed())}`,
      headers: headersOf(draft, request.id, authorization),
      body: draft.body,
      recipient: draft.token,
      deadline: request.deadline,
      wanted: request.wanted,
    });
    let answer: ApnsAnswer | undefined;
    if (reply.kind === 'failed') {
      // A GOAWAY has ended its connection already.
      answer = reply.goaway === undefined ? undefined : readApnsGoaway(reply.goaway);
      if (answer === undefined) return channelVerdict(reply.reason);
    } else {
      answer = readApnsAnswer(reply.status, reply.body);
      if (WANTS_RENEWAL.has(answer.meaning)) renew(channel, request.device, askedAt);
    }
    const meant = apnsVerdict(answer, {
      environmentUnknown: request.device.sandbox === null,
      variant,
      sandbox,
      hasNewToken:
        answer.meaning === 'jwt-expired' &&
        authorization !== undefined &&
        token?.expired(authorization) === true,
      retryAfterMs:
        reply.kind === 'answered' ? readRetryAfter(reply.headers['retry-after'], clock.wall()) : undefined,
    });
    const verdict = withDetail(meant, answer.detail);
    // A GOAWAY is about the connection, whichever device the push was for.
    return reply.kind === 'failed' && verdict.kind === 'app-fault' ? { ...verdict, unsent: true } : verdict;
  }

  return {
    name: 'apns',
    environmentOf: (device) => (isSandbox(device) ? 'sandbox' : 'production'),
    send,
    warm: () => {
      options.production.value.warm();
      // A certificate or key need not cover the sandbox: its connection waits for the first device that is there.
      // The key cannot be the caller's problem before its first push, which reports it.
      const minted = token?.current();
      if (minted instanceof Promise) minted.catch(() => undefined);
    },
    watch: (back) => {
      for (const environment of ['production', 'sandbox'] as const)
        watches.push(options[environment].value.onConnected(() => back(environment, 'connected')));
    },
    close: async () => {
      for (const end of watches) end();
      await Promise.all([options.production.release(), options.sandbox.release()]);
    },
  };
}

function isSandbox(device: PushTarget): boolean {
  return device.sandbox === true;
}

/** Undefined for a notice that this device cannot be sent. */
function write(request: PushRequest, variant: PushVariant, appId: string, clock: Clock): Draft | undefined {
  const { message, device } = request;
  const voip = { token: device.token, topic: `${appId}.voip`, pushType: 'voip', expiration: 0 } as const;
  if (message.kind === 'call') return { ...voip, body: callPayload(message, variant.minimal) };
  switch (message.channel) {
    case 'voip':
      return { ...voip, body: voipNoticePayload(message.text) };
    case 'alert':
      if (!device.remoteNotificationToken) return undefined;
      return {
        token: device.remoteNotificationToken,
        topic: appId,
        pushType: 'alert',
        expiration: Math.floor(clock.wall() / 1000) + ALERT_LIFETIME_S,
        body: alertPayload(message.text),
      };
    case 'data':
      return undefined;
    default:
      return message.channel satisfies never;
  }
}

function headersOf(draft: Draft, id: string, authorization: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {
    'apns-topic': draft.topic,
    'apns-push-type': draft.pushType,
    'apns-priority': '10',
    'apns-expiration': String(draft.expiration),
    'apns-id': id,
  };
  if (authorization !== undefined) headers['authorization'] = authorization;
  return headers;
}
