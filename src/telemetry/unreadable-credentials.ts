import type { CredentialUnreadable } from '../apps/credential-unreadable.ts';
import type { Log } from './log.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** An app whose stored credential cannot be read. */
export interface UnreadableCredential {
  readonly error: Pick<CredentialUnreadable, 'owner' | 'problem'>;
  /** Whether its phones are woken with the credential that could be read last. */
  readonly kept: boolean;
}

/** One log line for each app, and the metric; an empty list takes the metric back. */
export function tellUnreadable(
  apps: readonly UnreadableCredential[],
  log: Log,
  metrics: Pick<ServiceMetrics, 'credentialsUnreadable'>,
): void {
  metrics.credentialsUnreadable.reset();
  for (const { error, kept } of apps) {
    const { platform, appId: app } = error.owner;
    metrics.credentialsUnreadable.set({ app, platform }, 1);
    const effect = kept
      ? 'its phones are woken with the one that was read last until this service restarts'
      : 'its phones cannot be woken';
    log.write('error', `the stored credential of an app cannot be read: ${effect}`, {
      app,
      platform,
      problem: error.problem.kind,
      keyId: error.problem.kind === 'unknown-format' ? undefined : error.problem.keyId,
      configured: error.problem.kind === 'key-missing' ? error.problem.configured.join(', ') : undefined,
    });
  }
}
