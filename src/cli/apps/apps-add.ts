import type { Command } from 'commander';
import { describeCredential } from '../../apps/credential/describe-credential.ts';
import type { Platform } from '../../apps/platform.ts';
import { readAppsRefreshMs, readStoreSettings } from '../../config/part-settings.ts';
import { PROGRAM } from '../../lib/program.ts';
import { appIdOption, platformOption } from '../kit/arguments.ts';
import { type CommandContext, CommandFailed, requireSettings, tellDatabase } from '../kit/command-context.ts';
import { counted } from '../kit/text-table.ts';
import { type Stores, withStores } from '../kit/with-stores.ts';
import { type CredentialOptions, readCredential } from './read-credential.ts';

interface AddOptions extends CredentialOptions {
  readonly platform: Platform;
  readonly appId: string;
}

/** `apps add`: checks a credential and stores it; an app that is known gets it in place of its old one. */
export function addAppsAddCommand(apps: Command, context: CommandContext): void {
  apps
    .command('add')
    .description('add an app, or replace the credential of one; a running service takes it up by itself')
    .addOption(platformOption().makeOptionMandatory())
    .addOption(appIdOption().makeOptionMandatory())
    .option('--apns-key <file>', "Apple's authentication key (.p8)")
    .option('--apns-key-id <id>', 'its key id, 10 characters')
    .option('--apns-team-id <id>', 'the id of its team, 10 characters')
    .option('--apns-cert <file>', "Apple's VoIP certificate (.pem), with or without its private key")
    .option('--apns-cert-key <file>', "the certificate's private key (.pem), where it has a file of its own")
    .option('--fcm-service-account <file>', "Google's service-account key (.json)")
    .addHelpText('after', EXAMPLES)
    .action((options: AddOptions) => addApp(context, options));
}

const EXAMPLES = `
The credential is read, checked and stored in the database; the files are not needed afterwards. In place of one of
them, - reads standard input.

Examples:
  ${PROGRAM} apps add --platform apns --app-id com.example.phone \\
    --apns-key AuthKey_ABCDE12345.p8 --apns-key-id ABCDE12345 --apns-team-id FGHIJ67890
  ${PROGRAM} apps add --platform apns --app-id com.example.phone --apns-cert voip.pem
  ${PROGRAM} apps add --platform android --app-id com.example.phone --fcm-service-account account.json`;

const MAX_APP_ID = 255;

async function addApp(context: CommandContext, options: AddOptions): Promise<void> {
  const { platform, appId } = options;
  const config = requireSettings((reader) => ({
    ...readStoreSettings(reader),
    appsRefreshMs: readAppsRefreshMs(reader),
  }));
  checkAppId(platform, appId);
  const { credential, notes } = await readCredential(options, platform, appId, Date.now());
  tellDatabase(context, config, 'will be created');
  const add = async ({ apps, countDevices }: Stores) => {
    const saved = await apps.save({ platform, appId, credential }, Date.now());
    const described = `${platform} app ${appId}: ${describeCredential(credential)}.`;
    if (saved.kind === 'created') context.out(`Added the ${described}`);
    else {
      const devices = (await countDevices()).get(saved.app.key) ?? 0;
      context.out(`Replaced the credential of the ${described}`);
      context.out(`It keeps ${counted(devices, 'registered device')}.`);
    }
  };
  await withStores(config, add, { create: true });
  for (const note of [...notes, ...appIdNotes(platform, appId)]) context.err(`Note: ${note}.`);
  context.out(
    `A running service takes it up within ${config.appsRefreshMs} ms; try it with: ${PROGRAM} apps check`,
  );
}

function checkAppId(platform: Platform, appId: string): void {
  if (!/^[\x21-\x7e]+$/.test(appId) || appId.length > MAX_APP_ID) {
    throw new CommandFailed(`--app-id must be 1 to ${MAX_APP_ID} ASCII characters without spaces.`, 2);
  }
  if (platform === 'apns' && appId.endsWith('.voip')) {
    throw new CommandFailed('--app-id must be the bundle id itself, without the suffix ".voip".', 2);
  }
}

function appIdNotes(platform: Platform, appId: string): readonly string[] {
  const [, bundleId] = (platform === 'apns' && /^[A-Z0-9]{10}\.(.+)$/.exec(appId)) || [];
  return bundleId === undefined
    ? []
    : [`--app-id begins with a team id; the bundle id is probably ${bundleId}`];
}
