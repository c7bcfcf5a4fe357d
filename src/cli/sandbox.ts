import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { startWorld } from '../sandbox/world.ts';
import type { CommandContext } from './command-context.ts';
import { addSandboxApps, SANDBOX_APPS } from './sandbox-apps.ts';

/** `sandbox`: runs the stand-ins until it is stopped, for trying the service without Apple and Google. */
export function addSandboxCommand(program: Command, context: CommandContext): void {
  program
    .command('sandbox')
    .description('run stand-ins for Apple, Google and the platform API, and print the settings to use them')
    .option('--folder <path>', 'where the certificate and the database of the sandbox go', 'data/sandbox')
    .addHelpText('after', EXAMPLE)
    .action((options: { readonly folder: string }) => runSandbox(context, resolve(options.folder)));
}

const EXAMPLE = `
Example:
  vialer-middleware sandbox
      prints lines such as "export APNS_URL=https://127.0.0.1:40123"; paste them in another shell, then
  vialer-middleware serve`;

/** The user that the sandbox's platform knows. */
const USER = { account: 123_456_789, user: 'user@example.com', password: 'sandbox', token: 'sandbox-token' };

async function runSandbox(context: CommandContext, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const world = await startWorld();
  try {
    const caFile = join(folder, 'ca.pem');
    const databaseUrl = `sqlite:${join(folder, 'sandbox.db')}`;
    await writeFile(caFile, world.ca.certificate);
    await addSandboxApps(databaseUrl, world);
    const { token } = world.platform.addUser(USER);
    const settings = {
      NODE_EXTRA_CA_CERTS: caFile,
      ...world.settings,
      ACCOUNT_AUTH: 'voipgrid',
      DATABASE_URL: databaseUrl,
    };
    for (const [name, value] of Object.entries(settings)) context.out(`export ${name}=${value}`);
    context.out(`# apps: ${SANDBOX_APPS.apns} (apns), ${SANDBOX_APPS.android} (android)`);
    context.out(`# a phone of account ${USER.account} registers with "Authorization: ${token}"`);
    context.out('# running; stop it with Ctrl-C');
    await stopSignal();
  } finally {
    await world.close();
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolveSignal) => {
    // Signals do not keep a process alive; the stand-ins' listeners do.
    process.once('SIGINT', () => resolveSignal());
    process.once('SIGTERM', () => resolveSignal());
  });
}
