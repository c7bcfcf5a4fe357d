import type { SharedChannel } from '../../../http2/channel-pool.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Lease } from '../../../lib/ref-counted.ts';
import { withDetail } from '../../answer-detail.ts';
import { channelVerdict } from '../../channel-verdict.ts';
import type { PushProvider, PushRequest, PushVariant, PushVerdict } from '../../push-provider.ts';
import { readRetryAfter } from '../../retry-after.ts';
import { fcmVerdict, readFcmAnswer } from './answers.ts';
import { callPayload, noticePayload } from './payload.ts';
import type { FcmToken } from './token.ts';

/** Parts of a Google provider. */
export interface FcmProviderOptions {
  readonly projectId: string;
  readonly channel: Lease<SharedChannel>;
  readonly token: Lease<FcmToken>;
  readonly clock: Clock;
}

/**
 * One app's way to Google's phones, for platforms `android` and `gcm` alike.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
 */
export function createFcmProvider(options: FcmProviderOptions): PushProvider {
  const { channel, token, clock } = options;
  const watches: (() => void)[] = [];
  const path = `/v1/projects/${encodeURIComponent(options.projectId)}/messages:send`;

  async function send(request: PushRequest, variant: PushVariant): Promise<PushVerdict> {
    const body = write(request, variant);
    if (body === undefined) return { kind: 'our-fault', reason: 'notice-unsupported' };
    const current = token.value.current(request.deadline);
    const oauth = current instanceof Promise ? await current : current;
    if (oauth.kind !== 'token') {
      const { kind, reason } = oauth;
      const certain = kind === 'unavailable' && oauth.certain === true;
      return withDetail({ kind, reason, unsent: true, ...(certain && { certain }) }, oauth.detail);
    }
    const authorization = oauth.header;
    const reply = await channel.value.request({
      path,
      headers: { authorization, 'content-type': 'application/json' },
      body,
      recipient: request.device.token,
      deadline: request.deadline,
      wanted: request.wanted,
    });
    if (reply.kind === 'failed') return channelVerdict(reply.reason);
    const answer = readFcmAnswer(reply.status, reply.body);
    // The next try is made with the token that this may bring.
    if (answer.meaning === 'credential-refused')
      await token.value.refused(authorization, request.device, request.deadline);
    else if (answer.meaning === 'accepted') token.value.accepted();
    const retryAfterMs = readRetryAfter(reply.headers['retry-after'], clock.wall());
    return withDetail(fcmVerdict(answer, retryAfterMs), answer.detail);
  }

  return {
    name: 'fcm',
    environmentOf: () => 'production',
    send,
    warm: () => {
      channel.value.warm();
      token.value.warm();
    },
    watch: (back) => {
      watches.push(channel.value.onConnected(() => back('production', 'connected')));
      watches.push(token.value.onFetched(() => back('production', 'token-fetched')));
    },
    close: async () => {
      for (const end of watches) end();
      await Promise.all([channel.release(), token.release()]);
    },
  };
}

/** Undefined for a notice that Google cannot carry. */
function write({ device, message }: PushRequest, variant: PushVariant): string | undefined {
  if (message.kind === 'call') return callPayload(device.token, message, variant.minimal);
  return message.channel === 'data' ? noticePayload(device.token, message.text) : undefined;
}
