import { readFileSync } from 'node:fs';

const START = /"start": "exec node ([^"]+)"/;

/** What `npm start` gives to `node`: its flags, the program, and what follows. */
export function startArguments(): readonly string[] {
  const [, words] = START.exec(readFileSync('package.json', 'utf8')) ?? [];
  if (words === undefined) throw new Error('package.json does not say how the service is started');
  return words.split(' ');
}

/** The flags among them. */
export function nodeFlags(): readonly string[] {
  return startArguments().filter((word) => /^--./.test(word));
}
