import { get } from 'node:http';

const TIMEOUT_MS = 5_000;

/** Reads a page over a connection of its own, which is closed afterwards. Rejects after 5 s, or when nobody listens. */
export function getText(url: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`No answer within ${TIMEOUT_MS} ms.`)));
    request.on('error', reject);
  });
}
