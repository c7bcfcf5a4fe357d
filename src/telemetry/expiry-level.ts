const DAY_MS = 86_400_000;
/** Days before the end at which it is logged, and logged as an error. */
const WARN_DAYS = 30;
const ALARM_DAYS = 7;

/** How loudly the end of a certificate (epoch ms) is told, and the whole days left; undefined while it is far off. */
export function expiryLevel(
  expiresAt: number,
): { readonly level: 'warn' | 'error'; readonly daysLeft: number } | undefined {
  const daysLeft = Math.floor((expiresAt - Date.now()) / DAY_MS);
  if (daysLeft >= WARN_DAYS) return undefined;
  return { level: daysLeft < ALARM_DAYS ? 'error' : 'warn', daysLeft };
}
