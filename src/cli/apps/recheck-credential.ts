import type { App } from '../../apps/app.ts';
import { readApnsCertificate } from '../../apps/credential/read-apns-certificate.ts';
import { readApnsKey } from '../../apps/credential/read-apns-key.ts';
import { readFcmServiceAccount } from '../../apps/credential/read-fcm-service-account.ts';

/** Checks a stored credential as `apps add` did, at `now` (epoch ms): it may have expired since. */
export function recheckCredential(
  { credential, appId }: Pick<App, 'credential' | 'appId'>,
  now: number,
): { readonly notes: readonly string[] } | { readonly problem: string } {
  const reading = read();
  return reading.ok ? { notes: reading.notes } : { problem: reading.problem };

  function read() {
    switch (credential.kind) {
      case 'apns-key':
        return readApnsKey({ ...credential, text: credential.privateKey });
      case 'apns-certificate':
        return readApnsCertificate({
          certPem: credential.certificate,
          keyPem: credential.privateKey,
          appId,
          now,
        });
      case 'fcm-service-account':
        return readFcmServiceAccount(
          JSON.stringify({
            type: 'service_account',
            project_id: credential.projectId,
            client_email: credential.clientEmail,
            private_key_id: credential.privateKeyId,
            private_key: credential.privateKey,
            token_uri: credential.tokenUri,
          }),
        );
      default:
        return credential satisfies never;
    }
  }
}
