import { createChannelPool } from '../../../src/http2/channel-pool.ts';
import type { ChannelReply } from '../../../src/http2/channel-types.ts';
import type { OauthAnswer } from '../../../src/push/services/fcm/oauth.ts';
import { createFcmProvider } from '../../../src/push/services/fcm/provider.ts';
import { createFcmToken } from '../../../src/push/services/fcm/token.ts';
import {
  answered,
  createHandClock,
  createScriptedChannel,
  makeDevice,
  makeRequest,
  PLAIN,
  recordEvents,
} from './provider-fixture.ts';

export const phone = makeDevice({ platform: 'android', appId: 'com.example.android', token: 'fcm-token' });

/** A Google provider over a scripted channel; every request gets `reply`, every token question `oauth`. */
export function fcmScene(
  reply: ChannelReply = answered(200, { name: 'projects/p/messages/1' }),
  oauth?: OauthAnswer,
) {
  const clock = createHandClock();
  let fetched = 0;
  const channel = createScriptedChannel(() => reply);
  const pool = createChannelPool({ clock, createChannel: () => channel });
  const token = createFcmToken({
    clock,
    events: recordEvents(),
    fetchToken: async () => {
      fetched += 1;
      return oauth ?? { kind: 'token', token: `token-${fetched}`, lifetimeMs: 3_600_000 };
    },
  });
  const provider = createFcmProvider({
    projectId: 'project one',
    channel: pool.lease({ origin: 'fcm' }, 'account'),
    token: { value: token, release: async () => token.close() },
    clock,
  });
  const send = () => provider.send(makeRequest(clock, { device: phone }), PLAIN);
  return { clock, channel, provider, send, fetched: () => fetched };
}
