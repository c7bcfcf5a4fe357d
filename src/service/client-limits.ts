import type { ProtectionSettings } from '../config/protection-settings.ts';
import { type ClientLimits, createClientLimits } from '../http/access/limits/client-limits.ts';
import { type FailureCounter, NO_LIMIT } from '../http/access/limits/failure-counter.ts';
import { createLocalFailures } from '../http/access/limits/local-failures.ts';
import { type CountingLink, createSharedFailures } from '../http/access/limits/shared-failures.ts';
import { monotonic } from '../lib/monotonic.ts';
import type { LimitEvents } from '../telemetry/limit-telemetry.ts';

/** An address may fail for this many accounts as often as for one: many phones share it. */
const ACCOUNTS_PER_ADDRESS = 10;

/** Builds the limits of the settings, shared with other instances where there is a link. */
export function buildClientLimits(options: {
  readonly settings: ProtectionSettings;
  /** Redis; undefined: this instance counts alone. */
  readonly link: CountingLink | undefined;
  /** Begins every key in Redis. */
  readonly prefix: string;
  readonly events: LimitEvents;
}): ClientLimits {
  const { settings, link, prefix, events } = options;
  const counter = (name: string, limit: number): FailureCounter => {
    if (limit === 0) return NO_LIMIT;
    const onForgotten = () => events.keyForgotten({ limit: name });
    const local = createLocalFailures({ limit, onForgotten, clock: monotonic });
    if (link === undefined) return local;
    return createSharedFailures({
      local,
      link,
      prefix: `${prefix}limit:${name}:`,
      onUnshared: (error) => events.countUnshared({ limit: name, error }),
    });
  };
  return createClientLimits({
    answers: counter('answers', settings.unknownAnswersPerMinute),
    pbx: counter('pbx', settings.failedAuthPerMinute),
    accounts: counter('accounts', settings.failedAuthPerMinute),
    registrations: counter('registrations', settings.registrationsPerMinute),
    accountAddresses: counter('addresses', settings.failedAuthPerMinute * ACCOUNTS_PER_ADDRESS),
  });
}
