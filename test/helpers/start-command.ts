import { readFileSync } from 'node:fs';

interface Manifest {
  readonly scripts: { readonly start: string };
}

const isManifest = (value: unknown): value is Manifest =>
  typeof value === 'object' && value !== null && 'scripts' in value;

/** What `npm start` gives to `node`: its flags, the program, and what follows. */
export const startArguments = (): readonly string[] => {
  const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'));
  const words = isManifest(manifest) ? manifest.scripts.start.split(' ') : [];
  const node = words.indexOf('node');
  if (node === -1) throw new Error('package.json does not say how the service is started');
  return words.slice(node + 1);
};

/** The flags among them. */
export const nodeFlags = (): readonly string[] => startArguments().filter((word) => word.startsWith('--'));
