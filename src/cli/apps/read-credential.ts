import type { AppCredential } from '../../apps/app.ts';
import type { CredentialReading } from '../../apps/credential/credential-reading.ts';
import { readApnsCertificate } from '../../apps/credential/read-apns-certificate.ts';
import { readApnsKey } from '../../apps/credential/read-apns-key.ts';
import { readFcmServiceAccount } from '../../apps/credential/read-fcm-service-account.ts';
import type { Platform } from '../../apps/platform.ts';
import { CommandFailed } from '../kit/command-context.ts';
import { readCredentialFile } from './read-credential-file.ts';

/** The options of `apps add` that make up a credential. */
export interface CredentialOptions {
  readonly apnsKey?: string;
  readonly apnsKeyId?: string;
  readonly apnsTeamId?: string;
  readonly apnsCert?: string;
  readonly apnsCertKey?: string;
  readonly fcmServiceAccount?: string;
}

/** A credential that may be stored, and what its owner should know about it. */
export interface CheckedCredential {
  readonly credential: AppCredential;
  readonly notes: readonly string[];
}

const FLAGS = {
  apnsKey: '--apns-key',
  apnsKeyId: '--apns-key-id',
  apnsTeamId: '--apns-team-id',
  apnsCert: '--apns-cert',
  apnsCertKey: '--apns-cert-key',
  fcmServiceAccount: '--fcm-service-account',
} as const satisfies Record<keyof CredentialOptions, string>;

const MAIN = ['apnsKey', 'apnsCert', 'fcmServiceAccount'] as const;
type Main = (typeof MAIN)[number];

const OWNERS = [
  ['apnsKeyId', 'apnsKey'],
  ['apnsTeamId', 'apnsKey'],
  ['apnsCertKey', 'apnsCert'],
] as const satisfies readonly (readonly [keyof CredentialOptions, Main])[];

/**
 * Reads and checks the credential that the options name, at `now` (epoch ms). Throws `CommandFailed` with one line
 * that names the option.
 */
export async function readCredential(
  options: CredentialOptions,
  platform: Platform,
  appId: string,
  now: number,
): Promise<CheckedCredential> {
  const main = chosenOf(options, platform);
  switch (main) {
    case 'apnsKey': {
      const keyId = required(options, 'apnsKeyId');
      const teamId = required(options, 'apnsTeamId');
      const reading = accepted(
        options,
        main,
        readApnsKey({ text: await read(options, main), keyId, teamId }),
      );
      return { ...reading, notes: [...reading.notes, ...otherKeyNotes(options.apnsKey, keyId)] };
    }
    case 'apnsCert': {
      const certPem = await read(options, main);
      const separate = options.apnsCertKey !== undefined;
      const keyPem = separate ? { keyPem: await read(options, 'apnsCertKey') } : {};
      return accepted(options, main, readApnsCertificate({ certPem, ...keyPem, appId, now }));
    }
    case 'fcmServiceAccount':
      return accepted(options, main, readFcmServiceAccount(await read(options, main)));
    default:
      return main satisfies never;
  }
}

function chosenOf(options: CredentialOptions, platform: Platform): Main {
  const [main, second] = MAIN.filter((name) => options[name] !== undefined);
  const [stray] = OWNERS.find(([part, owner]) => options[part] !== undefined && owner !== main) ?? [];
  if (main === undefined) {
    if (stray !== undefined) throw wrong(`${FLAGS[stray]} also needs ${ownerOf(stray)}.`);
    throw wrong(
      platform === 'apns'
        ? 'Give a credential: --apns-key with --apns-key-id and --apns-team-id, or --apns-cert.'
        : 'Give a credential: --fcm-service-account.',
    );
  }
  if (second !== undefined) throw wrong(`${FLAGS[main]} and ${FLAGS[second]} exclude each other.`);
  if (stray !== undefined)
    throw wrong(`${FLAGS[stray]} belongs to ${ownerOf(stray)}, not to ${FLAGS[main]}.`);
  if ((platform === 'apns') === (main === 'fcmServiceAccount')) {
    const fitting = platform === 'apns' ? '--apns-key or --apns-cert' : '--fcm-service-account';
    throw wrong(`${FLAGS[main]} does not go with --platform ${platform}; use ${fitting}.`);
  }
  return main;
}

function ownerOf(part: (typeof OWNERS)[number][0]): string {
  return OWNERS.filter(([name]) => name === part)
    .map(([, owner]) => FLAGS[owner])
    .join();
}

function required(options: CredentialOptions, name: 'apnsKeyId' | 'apnsTeamId'): string {
  const value = options[name];
  if (value === undefined) throw wrong(`--apns-key also needs ${FLAGS[name]}.`);
  return value;
}

function read(options: CredentialOptions, name: Main | 'apnsCertKey'): Promise<string> {
  return readCredentialFile(FLAGS[name], options[name] ?? '');
}

/** Apple puts the id of a key into the name of its file. */
function otherKeyNotes(path = '', keyId: string): readonly string[] {
  const named = /AuthKey_([A-Z0-9]{10})\.p8$/.exec(path)?.[1];
  return named === undefined || named === keyId
    ? []
    : [`the file is named after the key ${named}, but --apns-key-id is ${keyId}`];
}

function accepted(
  options: CredentialOptions,
  main: Main,
  reading: CredentialReading<AppCredential['kind']>,
): CheckedCredential {
  if (reading.ok) return reading;
  const part = reading.ofKeyFile === true ? 'apnsCertKey' : main;
  const path = options[part] ?? '-';
  // A function, because a path may hold `$&`.
  const problem =
    path === '-' ? reading.problem : reading.problem.replaceAll('-in FILE', () => `-in ${quoted(path)}`);
  const keyElsewhere =
    part === 'apnsCert' && problem.endsWith('without its private key')
      ? '; give the file of the key with --apns-cert-key'
      : '';
  throw wrong(`${FLAGS[part]}: ${problem}${keyElsewhere}.`);
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function wrong(line: string): CommandFailed {
  return new CommandFailed(line, 2);
}
