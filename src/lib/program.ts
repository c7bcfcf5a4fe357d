/** How a person calls this program: a checkout has no command of its own. */
export const PROGRAM = import.meta.url.endsWith('.ts') ? 'npm run -s cli --' : 'vialer-middleware';
