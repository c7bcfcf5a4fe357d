import { existsSync } from 'node:fs';

/** Part of every Debian (util-linux); other systems have none. */
const SETPRIV = '/usr/bin/setpriv';

/**
 * What to give to `spawn`, so that the program ends with this process, however that ends: a test that is killed would leave its
 * servers behind otherwise. Without setpriv(1) the program is started as it is.
 */
export function owned(
  program: string,
  args: readonly string[],
  signal: 'KILL' | 'TERM' = 'KILL',
): readonly [program: string, args: readonly string[]] {
  return existsSync(SETPRIV) ? [SETPRIV, ['--pdeathsig', signal, '--', program, ...args]] : [program, args];
}
