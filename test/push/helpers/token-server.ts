import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

/** A question that the token address was asked. */
export interface TokenQuestion {
  readonly method: string | undefined;
  readonly contentType: string | undefined;
  readonly form: URLSearchParams;
}

/** An OAuth token address on loopback. */
export interface TokenServer extends AsyncDisposable {
  readonly uri: string;
  readonly asked: TokenQuestion[];
}

/** `answer` writes the reply to each question. */
export async function startTokenServer(
  answer: (response: ServerResponse, index: number, question: TokenQuestion) => void,
): Promise<TokenServer> {
  const asked: TokenQuestion[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const question = { method: request.method, contentType: request.headers['content-type'], form };
      asked.push(question);
      answer(response, asked.length - 1, question);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return {
    uri: `http://127.0.0.1:${address.port}/token`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Google's answer with a token. */
export function giveToken(response: ServerResponse, token: string, lifetimeS: unknown = 3_599): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ access_token: token, expires_in: lifetimeS, token_type: 'Bearer' }));
}
