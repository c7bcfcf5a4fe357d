import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 20_000;

/** What was waited for did not happen in time. */
export class WaitedInVain extends Error {
  constructor(what: string) {
    super(`waited in vain until ${what}`);
  }
}

/**
 * Waits until a condition holds, looking often; fails after 20 s, unless told, also where a look never ends, naming what
 * was waited for.
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  limitMs = LIMIT_MS,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  while (!(await settled(holds(), giveUpAt, what))) {
    if (performance.now() > giveUpAt) throw new WaitedInVain(what);
    await delay(5);
  }
}

async function settled(look: boolean | Promise<boolean>, giveUpAt: number, what: string): Promise<boolean> {
  if (typeof look === 'boolean') return look;
  const late = Promise.withResolvers<never>();
  const giveUp = () => late.reject(new WaitedInVain(`${what}: the last look did not end`));
  const timer = setTimeout(giveUp, Math.max(1_000, giveUpAt - performance.now()));
  try {
    return await Promise.race([look, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
