import { createChannelPool } from '../../../src/http2/channel-pool.ts';
import type { ChannelReply } from '../../../src/http2/channel-types.ts';
import { createApnsProvider } from '../../../src/push/services/apns/provider.ts';
import { createApnsTokens } from '../../../src/push/services/apns/token.ts';
import {
  answered,
  apnsKey,
  createHandClock,
  createScriptedChannel,
  makeApp,
  makeEcKey,
  recordEvents,
} from './provider-fixture.ts';

const key = makeEcKey();

/** An Apple provider over scripted channels; every request gets `reply`. */
export function apnsScene(reply: ChannelReply = answered(200), withToken = true, privateKey = key.pem) {
  const clock = createHandClock();
  const events = recordEvents();
  const channels = {
    production: createScriptedChannel(() => reply),
    sandbox: createScriptedChannel(() => reply),
  };
  const pool = createChannelPool({
    clock,
    createChannel: ({ origin }) => (origin === 'sandbox' ? channels.sandbox : channels.production),
  });
  const token = withToken ? createApnsTokens({ clock, events }).forKey(apnsKey(privateKey)) : undefined;
  const provider = createApnsProvider({
    app: makeApp(apnsKey(privateKey)),
    production: pool.lease({ origin: 'production' }, 'key'),
    sandbox: pool.lease({ origin: 'sandbox' }, 'key'),
    token,
    clock,
  });
  return { clock, events, channels, provider, token };
}
