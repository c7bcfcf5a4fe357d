import { jsonFault } from '../../lib/json-fault.ts';
import { pemBlocks, plainText } from '../../lib/pem-blocks.ts';
import {
  type CredentialReading,
  type CredentialRefused,
  MAX_CREDENTIAL_TEXT,
  refused,
} from './credential-reading.ts';
import { privateKeyPem, readCredentialKey } from './read-credential-key.ts';

/** Also the old ids with a domain, `example.com:project`; none can leave its place in a path. */
const PROJECT_ID = /^[a-z0-9][a-z0-9.:-]{0,99}$/;
/** RS256 asks for no less (RFC 7518, 3.3). */
const MIN_RSA_BITS = 2048;
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
const FILE = 'the service-account file';

/** Quotation marks and a variable's name that a shell, a .env file or a YAML file has left around the whole. */
const NAME = /^\s*(?:export\s+)?[A-Za-z_]\w*\s*=\s*(?=["'{])/;
const QUOTED = /^\s*(["'])(\s*\{(?!\\).*\}\s*)\1\s*;?\s*$/s;

/** A line end within a text, where a shell has replaced \n, is no JSON; the key is read with a blank in its place. */
function parse(text: string): unknown {
  return JSON.parse(text.replace(/[\t\r\n]/g, ' '));
}

function parseObject(text: string): ReadonlyMap<string, unknown> | CredentialRefused {
  if (text.length > MAX_CREDENTIAL_TEXT) return refused(`${FILE} is not a JSON object: it is too large`);
  const plain = plainText(text);
  const instead = insteadOfJson(plain);
  if (instead !== undefined) return refused(`${FILE} is not a JSON object: ${instead}`);
  const bare = plain.replace(NAME, '').replace(QUOTED, '$2');
  try {
    const first = parse(bare);
    // JSON within a text of JSON, as some secret stores give it.
    const parsed = typeof first === 'string' ? parse(first) : first;
    if (Array.isArray(parsed))
      return refused(`${FILE} is not a JSON object but a list: give the object in it without [ and ]`);
    if (typeof parsed === 'object' && parsed !== null)
      return new Map<string, unknown>(Object.entries(parsed));
    return refused(`${FILE} is not a JSON object`);
  } catch {
    // The error of JSON.parse quotes the text, which is secret.
    const lines = bare.replace(/[\t\r]/g, ' ');
    return refused(/^\s*[[{"]/.test(bare) ? `${FILE} ${jsonFault(lines)}` : `${FILE} is not a JSON object`);
  }
}

const CONSOLE = 'make a service-account key in the Firebase console';

/** What the text is instead; undefined where it may be JSON. */
function insteadOfJson(text: string): string | undefined {
  if (text.trim() === '') return 'it is empty';
  if (/^\s*["']?(?:AAAA[\w-]{7}:|AIza[\w-]{30})/.test(text))
    return `it is an old server key or an API key, which Google no longer takes; ${CONSOLE}`;
  return !text.includes('{') && pemBlocks(text).length > 0
    ? 'it is a PEM file; give the whole JSON file that the Firebase console has made, not the key out of it'
    : undefined;
}

function typeProblem(fields: ReadonlyMap<string, unknown>): string | undefined {
  if (fields.get('type') === 'service_account') return undefined;
  if (fields.has('project_info')) {
    return `this is google-services.json, which belongs into the app: ${CONSOLE}`;
  }
  return `${FILE} is of another kind: its field "type" must be "service_account"`;
}

function isTokenUri(text: string): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname));
}

const REQUIRED = ['project_id', 'client_email', 'private_key_id', 'private_key', 'token_uri'] as const;

function requiredFields(
  fields: ReadonlyMap<string, unknown>,
): Readonly<Record<(typeof REQUIRED)[number], string>> | { readonly missing: string } {
  const text = (name: (typeof REQUIRED)[number]): string => {
    const value = fields.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  const missing = REQUIRED.find((name) => text(name) === '');
  if (missing !== undefined) return { missing };
  return {
    project_id: text('project_id'),
    client_email: text('client_email'),
    private_key_id: text('private_key_id'),
    private_key: text('private_key'),
    token_uri: text('token_uri'),
  };
}

/**
 * Checks the JSON text of a Google service-account key file
 * (https://cloud.google.com/iam/docs/keys-create-delete#creating).
 */
export function readFcmServiceAccount(json: string): CredentialReading<'fcm-service-account'> {
  const fields = parseObject(json);
  if (!('get' in fields)) return fields;
  const wrongType = typeProblem(fields);
  if (wrongType !== undefined) return refused(wrongType);
  const texts = requiredFields(fields);
  if ('missing' in texts) return refused(`${FILE} has no text in its field "${texts.missing}"`);
  if (!PROJECT_ID.test(texts.project_id))
    return refused(`the field "project_id" of ${FILE} is no project id`);
  if (!isTokenUri(texts.token_uri)) {
    return refused(`the field "token_uri" of ${FILE} must be an absolute https: address`);
  }
  const reading = readCredentialKey(texts.private_key, `the field "private_key" of ${FILE}`);
  if (!reading.ok) return reading;
  const { asymmetricKeyType, asymmetricKeyDetails } = reading.key;
  if (asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) {
    return refused(`the field "private_key" of ${FILE} is no RSA key of at least ${MIN_RSA_BITS} bits`);
  }
  const credential = {
    kind: 'fcm-service-account' as const,
    projectId: texts.project_id,
    clientEmail: texts.client_email,
    privateKeyId: texts.private_key_id,
    privateKey: privateKeyPem(reading.key),
    tokenUri: texts.token_uri,
  };
  return { ok: true, credential, notes: [] };
}
