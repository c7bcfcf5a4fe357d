import { Counter, Gauge, type Registry } from 'prom-client';
import type { TlsClientFault, TlsEvents } from '../http/listener/tls-events.ts';
import { expiryLevel } from './expiry-level.ts';
import type { Log } from './log.ts';

/** Every `why` of `tls_client_errors_total`: shown as 0 before the first. */
const CLIENT_FAULTS = Object.keys({
  'handshake-timeout': true,
  'connection-lost': true,
  'old-protocol': true,
  'no-shared-cipher': true,
  'plain-http': true,
  'not-tls': true,
  'certificate-refused': true,
  other: true,
} as const satisfies Record<TlsClientFault, true>);

/** Log line and metric of what happens to the TLS of the main listener. */
export function createTlsTelemetry(log: Log, registry: Registry): TlsEvents {
  const registers = [registry];
  const expiry = new Gauge({
    name: 'vialer_middleware_tls_certificate_expiry_timestamp_seconds',
    help: 'When a certificate of the main listener expires.',
    labelNames: ['setting'],
    registers,
  });
  const reloads = new Counter({
    name: 'vialer_middleware_tls_reloads_total',
    help: 'Times that the TLS files were read again.',
    labelNames: ['result'],
    registers,
  });
  const clientErrors = new Counter({
    name: 'vialer_middleware_tls_client_errors_total',
    help: 'Clients that got no TLS connection.',
    labelNames: ['why'],
    registers,
  });
  for (const result of ['taken', 'failed']) reloads.inc({ result }, 0);
  for (const why of CLIENT_FAULTS) clientErrors.inc({ why }, 0);
  return {
    certificatesKnown: (certificates) => {
      for (const { setting, expiresAt } of certificates) {
        expiry.set({ setting }, Math.floor(expiresAt / 1000));
        const due = expiryLevel(expiresAt);
        if (due === undefined) continue;
        const message = due.daysLeft < 0 ? 'a TLS certificate has expired' : 'a TLS certificate expires soon';
        log.write(due.level, message, { setting, daysLeft: due.daysLeft });
      }
    },
    reloaded: ({ subject, expiresAt }) => {
      reloads.inc({ result: 'taken' });
      log.write('info', 'TLS files read again: new connections use them', {
        certificate: subject,
        expires: new Date(expiresAt).toISOString(),
      });
    },
    reloadFailed: ({ problems }) => {
      reloads.inc({ result: 'failed' });
      log.write('error', 'TLS files read again and not used: the former ones stay', {
        tlsProblem: problems.join('; '),
      });
    },
    nothingToReload: () => log.write('info', 'SIGHUP: nothing to reload, TLS_CERT_FILE is not set', {}),
    // One line for each would be written as often as anybody on the internet likes.
    clientFailed: ({ why }) => clientErrors.inc({ why }),
  };
}
