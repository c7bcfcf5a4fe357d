import { generateKeyPairSync } from 'node:crypto';

/** An EC private key as Apple's `.p8` file holds it. */
export function appleKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A Google service-account file that no Google knows. */
export function serviceAccount(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({
    type: 'service_account',
    project_id: 'test-project',
    private_key_id: 'f'.repeat(40),
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    client_email: 'push@test-project.iam.gserviceaccount.com',
    token_uri: 'https://127.0.0.1:1/token',
  });
}

/** The lines of a PEM that must never be printed. */
export function secretLines(text: string): readonly string[] {
  return text.split(/\\n|\n/).filter((line) => /^[A-Za-z0-9+/=]{30,}$/.test(line));
}
