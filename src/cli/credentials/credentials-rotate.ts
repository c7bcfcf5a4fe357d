import type { Command } from 'commander';
import { type CredentialStatus, credentialStatus } from '../../apps/credential-status.ts';
import { type CredentialVault, createCredentialVault } from '../../apps/credential-vault.ts';
import { type Rotation, rotateCredentials } from '../../apps/rotate-credentials.ts';
import { PROGRAM } from '../../lib/program.ts';
import type { Database } from '../../storage/database.ts';
import { type CommandContext, CommandFailed, requireDatabaseConfig } from '../kit/command-context.ts';
import { counted } from '../kit/text-table.ts';
import { withProgress } from '../kit/with-progress.ts';
import { withDatabase } from '../kit/with-stores.ts';

/** `credentials rotate`: writes everything that is secret anew with the current key, or as it is with `--decrypt`. */
export function addCredentialsRotateCommand(credentials: Command, context: CommandContext): void {
  credentials
    .command('rotate')
    .description('encrypt every credential with CREDENTIALS_KEY that is not yet')
    .option('--decrypt', 'store them unencrypted again')
    .addHelpText('after', EXAMPLES)
    .action((options: { readonly decrypt?: true }) => rotate(context, options.decrypt === true));
}

const EXAMPLES = `
What is under another key is read with CREDENTIALS_KEY_PREVIOUS. It may run beside running services, which notice nothing, be
interrupted, and be repeated. Exit code: 0 when everything is as wanted, else 1 or 2.

Examples:
  CREDENTIALS_KEY_FILE=/run/secrets/new CREDENTIALS_KEY_PREVIOUS_FILE=/run/secrets/old ${PROGRAM} credentials rotate
  CREDENTIALS_KEY_PREVIOUS_FILE=/run/secrets/old ${PROGRAM} credentials rotate --decrypt`;

const PLAIN = { current: undefined, previous: [] } as const;

async function rotate(context: CommandContext, decrypt: boolean): Promise<void> {
  const config = requireDatabaseConfig(context);
  const vault = createCredentialVault(config.credentialKeys);
  if (!decrypt && vault.sealsWith === undefined) {
    throw new CommandFailed(
      'CREDENTIALS_KEY is not set: make a key with "openssl rand -base64 32", or store credentials unencrypted with --decrypt.',
      2,
    );
  }
  let words = 'Reading the apps';
  const work = async (database: Database) => {
    const to = decrypt ? createCredentialVault(PLAIN) : vault;
    const rotation = await rotateCredentials(database, { to, from: vault }, (done, apps) => {
      words = `${done} of ${counted(apps, 'app')}`;
    });
    return { rotation, status: await credentialStatus(database, vault) };
  };
  const { rotation, status } = await withProgress(
    () => words,
    () => withDatabase(config, work),
  );
  tellDone(context, rotation, decrypt ? undefined : vault.sealsWith);
  tellNext(context, { vault, status, decrypt });
  failIfUnreadable(context, rotation);
}

function tellDone({ out }: CommandContext, rotation: Rotation, keyId: string | undefined): void {
  const what = `${counted(rotation.rotated, 'app')} and ${counted(rotation.tokensRotated, 'provider token')}`;
  const already = `${counted(rotation.unchanged, 'app')} had it so already`;
  out(
    keyId === undefined
      ? `Stored without encryption: the credentials of ${what}; ${already}.`
      : `Encrypted with the key ${keyId}: the credentials of ${what}; ${already}.`,
  );
}

function tellNext(
  context: CommandContext,
  found: {
    readonly vault: CredentialVault;
    readonly status: CredentialStatus;
    readonly decrypt: boolean;
  },
): void {
  const { vault, status, decrypt } = found;
  if (decrypt && vault.sealsWith !== undefined) {
    context.err(
      'Note: CREDENTIALS_KEY is still set, so what is stored next is encrypted again: move it to CREDENTIALS_KEY_PREVIOUS, here and for every running service.',
    );
  }
  for (const { keyId, apps, providerTokens } of status.keys) {
    if (keyId === undefined || keyId === vault.sealsWith || !vault.keyIds.includes(keyId)) continue;
    if (apps + providerTokens > 0) continue;
    context.out(
      `Nothing needs the key ${keyId} any more: remove it once no running service encrypts with it. Older backups still need it.`,
    );
  }
}

function failIfUnreadable({ err }: CommandContext, { unreadable, tokensLeft }: Rotation): void {
  if (tokensLeft > 0) {
    err(`Note: ${counted(tokensLeft, 'provider token')} cannot be read; they are forgotten within a day.`);
  }
  for (const error of unreadable) err(`Left as it is: ${error.message}.`);
  if (unreadable.length === 0) return;
  const keyMissing = unreadable.some(({ problem }) => problem.kind === 'key-missing');
  throw new CommandFailed(
    `The credentials of ${counted(unreadable.length, 'app')} could not be read.`,
    keyMissing ? 2 : 1,
  );
}
