import type { Readable } from 'node:stream';

/** A request body, or why there is none: larger than the bound, or cut off by the peer. */
export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'cut' };

/** Reads at most `limit` bytes; what comes after them is thrown away. Never rejects. */
export function readBody(source: Readable, limit: number): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    source.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else {
        chunks.length = 0;
        resolve({ kind: 'too-large' });
      }
    });
    source.once('end', () => resolve({ kind: 'whole', bytes: Buffer.concat(chunks) }));
    source.once('error', () => resolve({ kind: 'cut' }));
    source.once('close', () => resolve({ kind: 'cut' }));
  });
}
