import { createPublicKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

/** The JSON file that Google gives to the owner of a project. */
export interface ServiceAccount {
  readonly type: 'service_account';
  readonly project_id: string;
  readonly private_key_id: string;
  /** PEM (PKCS #8), RSA 2048. */
  readonly private_key: string;
  readonly client_email: string;
  readonly client_id: string;
  readonly token_uri: string;
}

/** What the token endpoint knows of a service account. */
export interface KnownAccount {
  readonly projectId: string;
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

/** The service accounts of a Google stand-in. */
export interface GoogleAccounts {
  create(options: { readonly projectId: string }): Promise<ServiceAccount>;
  /** By `client_email`. */
  find(email: string): KnownAccount | undefined;
}

/** Makes an empty list; its one RSA key is made with the first account, since that takes a while, and shared. */
export function createGoogleAccounts(tokenUri: () => string): GoogleAccounts {
  const known = new Map<string, KnownAccount>();
  let privateKey: Promise<string> | undefined;
  const makeKey = async (): Promise<string> => {
    const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
    return pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  };
  return {
    create: async ({ projectId }) => {
      privateKey ??= makeKey();
      const pem = await privateKey;
      const keyId = randomBytes(20).toString('hex');
      const email = `push-${keyId.slice(0, 8)}@${projectId}.iam.gserviceaccount.com`;
      known.set(email, { projectId, keyId, publicKey: createPublicKey(pem) });
      return {
        type: 'service_account',
        project_id: projectId,
        private_key_id: keyId,
        private_key: pem,
        client_email: email,
        client_id: String(100_000_000_000 + known.size),
        token_uri: tokenUri(),
      };
    },
    find: (email) => known.get(email),
  };
}
