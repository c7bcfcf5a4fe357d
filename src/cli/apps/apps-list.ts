import type { Command } from 'commander';
import { credentialExpiry } from '../../apps/credential/credential-expiry.ts';
import { describeCredential } from '../../apps/credential/describe-credential.ts';
import { PROGRAM } from '../../lib/program.ts';
import { jsonOption } from '../kit/arguments.ts';
import { type CommandContext, requireDatabaseConfig } from '../kit/command-context.ts';
import { textTable } from '../kit/text-table.ts';
import { withStores } from '../kit/with-stores.ts';

/** `apps list`: every app with what may be told of its credential. */
export function addAppsListCommand(apps: Command, context: CommandContext): void {
  apps
    .command('list')
    .description('list the apps, their credentials (nothing secret) and how many devices they have')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: { readonly json?: true }) => listApps(context, options.json === true));
}

const EXAMPLES = `
Examples:
  ${PROGRAM} apps list
  ${PROGRAM} apps list --json | jq -r '.[] | select(.expiresAt != null) | "\\(.expiresAt) \\(.appId)"'`;

async function listApps(context: CommandContext, json: boolean): Promise<void> {
  const { out } = context;
  const rows = await withStores(requireDatabaseConfig(context), async ({ apps, countDevices }) => {
    const [known, counts] = await Promise.all([apps.list(), countDevices()]);
    return known.map(({ key, platform, appId, credential }) => {
      const expiry = credentialExpiry(credential);
      return {
        platform,
        appId,
        credential: describeCredential(credential),
        kind: credential.kind,
        expiresAt: expiry === undefined ? null : new Date(expiry).toISOString(),
        devices: counts.get(key) ?? 0,
      };
    });
  });
  if (json) out(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) out(`There are no apps. See: ${PROGRAM} apps add --help`);
  else {
    const cells = rows.map((row) => [
      row.platform,
      row.appId,
      String(row.devices),
      row.expiresAt?.slice(0, 10) ?? 'never',
      row.credential,
    ]);
    for (const line of textTable([['PLATFORM', 'APP ID', 'DEVICES', 'EXPIRES', 'CREDENTIAL'], ...cells]))
      out(line);
  }
}
