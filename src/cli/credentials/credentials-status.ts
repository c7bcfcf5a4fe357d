import type { Command } from 'commander';
import { type CredentialStatus, credentialStatus, type KeyUse } from '../../apps/credential-status.ts';
import { type CredentialVault, createCredentialVault } from '../../apps/credential-vault.ts';
import { PROGRAM } from '../../lib/program.ts';
import { jsonOption } from '../kit/arguments.ts';
import { type CommandContext, CommandFailed, requireDatabaseConfig } from '../kit/command-context.ts';
import { counted, textTable } from '../kit/text-table.ts';
import { withDatabase } from '../kit/with-stores.ts';

/** `credentials status`: what is stored with which key, and whether all of it can be read. */
export function addCredentialsStatusCommand(credentials: Command, context: CommandContext): void {
  credentials
    .command('status')
    .description('count what is stored with which key, and whether it can be read')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: { readonly json?: true }) => showStatus(context, options.json === true));
}

const EXAMPLES = `
Keys are shown by their id, which tells nothing of the key. Exit code: 0 when every app's credential can be read, else 1.

Examples:
  ${PROGRAM} credentials status
  ${PROGRAM} credentials status --json`;

async function showStatus(context: CommandContext, json: boolean): Promise<void> {
  const config = requireDatabaseConfig(context);
  const vault = createCredentialVault(config.credentialKeys);
  const status = await withDatabase(config, (database) => credentialStatus(database, vault));
  if (json) context.out(JSON.stringify(asJson(status, vault), null, 2));
  else print(context, status, vault);
  if (status.unreadable.length === 0) return;
  throw new CommandFailed(`The credentials of ${counted(status.unreadable.length, 'app')} cannot be read.`);
}

type KeyState = 'current' | 'previous' | 'missing' | 'unencrypted';

function stateOf({ keyId }: KeyUse, vault: CredentialVault): KeyState {
  if (keyId === undefined) return 'unencrypted';
  if (keyId === vault.sealsWith) return 'current';
  return vault.keyIds.includes(keyId) ? 'previous' : 'missing';
}

function asJson({ keys, unreadable }: CredentialStatus, vault: CredentialVault): object {
  return {
    keys: keys.map((use) => ({ ...use, keyId: use.keyId ?? null, state: stateOf(use, vault) })),
    unreadable: unreadable.map(({ owner, message }) => ({ ...owner, problem: message })),
  };
}

function print(
  context: CommandContext,
  { keys, unreadable }: CredentialStatus,
  vault: CredentialVault,
): void {
  const rows = keys.map((use) => [
    use.keyId ?? '(none)',
    stateOf(use, vault),
    String(use.apps),
    String(use.providerTokens),
  ]);
  for (const line of textTable([['KEY', 'STATE', 'APPS', 'PROVIDER TOKENS'], ...rows])) context.out(line);
  for (const { message } of unreadable) context.err(`Unreadable: ${message}.`);
}
