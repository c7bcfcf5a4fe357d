/** What of a server is needed to make it listen. */
export interface Listener {
  listen(options: { readonly port: number; readonly host: string }, done: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  address(): { readonly port: number } | string | null;
}

/** Makes a server listen on 127.0.0.1 and tells its port; 0 picks a free one. Rejects when the port is taken. */
export async function listenOnLoopback(server: Listener, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('The server has no TCP port.');
  return address.port;
}
