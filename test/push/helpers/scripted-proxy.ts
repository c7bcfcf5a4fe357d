import { once } from 'node:events';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { readProxyAddress } from '../../../src/lib/proxy-address.ts';
import type { ForwardProxy } from '../../../src/lib/proxy-route.ts';
import type { TestCertificate } from './test-authority.ts';

/** What a client asked a proxy for. */
export interface ConnectAsked {
  /** The request up to the empty line. */
  readonly head: string;
  /** The proxy's end of the connection. */
  readonly socket: Socket;
  /** Answers with this head, then joins client and target; what is given after it goes out in the same packet. */
  tunnel(head?: string, early?: string): void;
}

/** What a proxy does when it is asked. */
export type ConnectHandler = (asked: ConnectAsked) => void;

/** A forward proxy on loopback whose answers a test writes. */
export interface ScriptedProxy {
  readonly port: number;
  /** Its address as from the setting HTTPS_PROXY; with user and password, if given. */
  address(login?: string): ForwardProxy;
  readonly heads: string[];
  handle(handler: ConnectHandler): void;
  /** Connections open now. */
  open(): number;
  accepted(): number;
  /** From now on nothing is forwarded on the tunnels that are open, and nobody is told. */
  muteOpen(): void;
  /** Destroys the connections that are open now. */
  destroyOpen(): void;
  close(): Promise<void>;
}

function swallow(): void {}

/** Starts a proxy; with a certificate it is an `https://` one. */
export async function startScriptedProxy(
  onConnect: ConnectHandler,
  certificate: TestCertificate | undefined,
): Promise<ScriptedProxy> {
  let handler = onConnect;
  let accepted = 0;
  const sockets = new Set<Socket>();
  const muted = new Set<Socket>();
  const heads: string[] = [];

  const join = (client: Socket, head: string): void => {
    const [, host = '', port = ''] = /^CONNECT \[?([^\s\]]+)\]?:(\d+) /.exec(head) ?? [];
    const target = connectTcp(Number(port), host);
    target.on('error', swallow).on('close', () => {
      if (!muted.has(client)) client.destroy();
    });
    client.on('close', () => target.destroy());
    client.on('data', (bytes) => {
      if (!muted.has(client)) target.write(bytes);
    });
    target.on('data', (bytes) => {
      if (!muted.has(client)) client.write(bytes);
    });
  };
  const accept = (socket: Socket): void => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', swallow).on('close', () => sockets.delete(socket));
    let text = '';
    const read = (bytes: Buffer): void => {
      text += bytes.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      socket.off('data', read);
      const head = text;
      heads.push(head);
      handler({
        head,
        socket,
        tunnel: (answer = 'HTTP/1.1 200 Connection established', early = '') => {
          socket.write(`${answer}\r\n\r\n${early}`);
          join(socket, head);
        },
      });
    };
    socket.on('data', read);
  };
  const server: Server =
    certificate === undefined ? createServer(accept) : createTlsServer(certificate, accept);
  server.on('tlsClientError', swallow);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    port,
    address: (login) => {
      const scheme = certificate === undefined ? 'http' : 'https';
      const account = login === undefined ? '' : `${login}@`;
      const reading = readProxyAddress(`${scheme}://${account}127.0.0.1:${port}`);
      if (!reading.ok) throw new Error(reading.problem);
      return { ...reading.address, setting: 'HTTPS_PROXY' };
    },
    heads,
    handle: (next) => {
      handler = next;
    },
    open: () => sockets.size,
    accepted: () => accepted,
    muteOpen: () => {
      for (const socket of sockets) muted.add(socket);
    },
    destroyOpen: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
