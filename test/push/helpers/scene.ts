import type { SecureServerOptions } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { handles, openChannel, type TestChannel, type TestChannelOptions, until } from './channel-fixture.ts';
import { type PushServer, startPushServer } from './push-server.ts';
import { type RawServer, startRawServer } from './raw-server.ts';
import { type Relay, startRelay } from './relay.ts';
import { type ConnectHandler, type ScriptedProxy, startScriptedProxy } from './scripted-proxy.ts';
import { createAuthority, type TestAuthority, type TestCertificate, trust } from './test-authority.ts';

/** The parts of one test; leaving it closes them and checks that the channel left nothing open. */
export interface Scene extends AsyncDisposable {
  readonly authority: TestAuthority;
  server(options?: SecureServerOptions & { readonly port?: number }): Promise<PushServer>;
  raw(
    protocols: readonly string[],
    onSocket: (socket: TLSSocket) => void,
    stubborn?: boolean,
  ): Promise<RawServer>;
  relay(targetPort: number, delayMs?: number): Promise<Relay>;
  /** A forward proxy that does what the test says. */
  proxy(onConnect: ConnectHandler, options?: { readonly tls?: TestCertificate }): Promise<ScriptedProxy>;
  channel(origin: string, options?: TestChannelOptions): TestChannel;
}

interface Part {
  open(): number;
  close(): Promise<void>;
}

let trusted: TestAuthority | undefined;
function trustedAuthority(): TestAuthority {
  if (trusted === undefined) {
    trusted = createAuthority();
    trust(trusted);
  }
  return trusted;
}

/** Sets the stage with an authority that this process trusts. */
export function openScene(): Scene {
  const authority = trustedAuthority();
  const channels: TestChannel[] = [];
  const parts: Part[] = [];
  const keep = <T extends Part>(part: T): T => {
    parts.push(part);
    return part;
  };
  return {
    authority,
    server: async (options) => keep(await startPushServer(authority.server, options)),
    raw: async (protocols, onSocket, stubborn) =>
      keep(await startRawServer(authority.server, protocols, onSocket, stubborn)),
    relay: async (targetPort, delayMs) => keep(await startRelay(targetPort, delayMs)),
    proxy: async (onConnect, { tls } = {}) => keep(await startScriptedProxy(onConnect, tls)),
    channel: (origin, options) => {
      const channel = openChannel(origin, options);
      channels.push(channel);
      return channel;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(channels.map((channel) => channel.close()));
      try {
        await until('every connection of the channel is closed', () =>
          parts.every((part) => part.open() === 0),
        );
      } finally {
        await Promise.all(parts.map((part) => part.close()));
      }
      await until('no handle is left', () => handles().length === 0, handles);
    },
  };
}
