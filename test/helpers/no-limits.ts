import { createClientLimits } from '../../src/http/access/limits/client-limits.ts';
import { NO_LIMIT } from '../../src/http/access/limits/failure-counter.ts';

/** Limits that are never reached, for tests of a part alone. */
export const NO_LIMITS = createClientLimits({
  answers: NO_LIMIT,
  pbx: NO_LIMIT,
  accounts: NO_LIMIT,
  accountAddresses: NO_LIMIT,
  registrations: NO_LIMIT,
});
