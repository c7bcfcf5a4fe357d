import { readFile, stat } from 'node:fs/promises';
import { type AppStore, createAppStore } from '../../apps/app-store.ts';
import { createCredentialVault } from '../../apps/credential-vault.ts';
import { PLATFORMS } from '../../apps/platform.ts';
import type { Config } from '../../config/config.ts';
import { importDevices } from '../../devices/import-devices.ts';
import { PROGRAM } from '../../lib/program.ts';
import type { Database } from '../../storage/database.ts';
import { DatabaseMissing } from '../../storage/database-missing.ts';
import { migrate } from '../../storage/migrate.ts';
import { type CommandContext, CommandFailed, requireDatabaseConfig } from '../kit/command-context.ts';
import { withProgress } from '../kit/with-progress.ts';
import { withDatabase } from '../kit/with-stores.ts';
import { importApps, type KnownApp } from './import-apps.ts';
import { importPhones } from './import-phones.ts';
import { ImportTally, tallyLines } from './import-tally.ts';
import { openReference, type ReferenceDatabase, type ReferenceRow } from './reference-database.ts';
import { openResponseLogFile, type ResponseLogFile } from './response-log-file.ts';

/** The options of `import-reference`. */
export interface ImportOptions {
  readonly from?: string;
  readonly fromFile?: string;
  readonly certDir?: string;
  readonly responseLogs?: string;
  readonly apply?: true;
}

const VARIABLE = 'REFERENCE_DATABASE_URL';

/** The work of `import-reference`. */
export async function runImportReference(context: CommandContext, options: ImportOptions): Promise<void> {
  // The arguments of a process are there for every user of the machine to read.
  if (options.from !== undefined) process.title = 'vialer-middleware import-reference';
  const url = await addressOf(options);
  await checkFolder(options.certDir);
  const config = requireDatabaseConfig(context);
  const reference = await openReference(url);
  try {
    const vault = createCredentialVault(config.credentialKeys);
    await withTarget(context, config, { apply: options.apply === true }, (database) =>
      importAll(context, options, reference, database, createAppStore(database, vault)),
    );
  } finally {
    await reference.close();
  }
}

async function addressOf({ from, fromFile }: ImportOptions): Promise<string> {
  if (from !== undefined && fromFile !== undefined)
    throw new CommandFailed('--from and --from-file exclude each other.', 2);
  if (fromFile !== undefined) {
    return await readFile(fromFile, 'utf8').then(
      (text) => text.trim(),
      (error: unknown) => {
        throw new CommandFailed(`--from-file: "${fromFile}" cannot be read.`, 2, { cause: error });
      },
    );
  }
  const url = from ?? process.env[VARIABLE]?.trim() ?? '';
  if (url === '')
    throw new CommandFailed(`Give the reference database: ${VARIABLE}, --from-file or --from.`, 2);
  return url;
}

async function checkFolder(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new CommandFailed(`--cert-dir: "${path}" is no folder.`, 2);
}

async function importAll(
  { out }: CommandContext,
  options: ImportOptions,
  reference: ReferenceDatabase,
  database: Database,
  appStore: AppStore,
): Promise<void> {
  const apply = options.apply === true;
  const tallies = {
    apps: new ImportTally('app_app'),
    devices: new ImportTally('app_device'),
    logs: new ImportTally('app_responselog'),
  };
  const asked = Object.values(tallies).filter(
    (tally) => tally !== tallies.logs || options.responseLogs !== undefined,
  );
  let apps: ReadonlyMap<number, KnownApp> = new Map();
  const importEach = async () => {
    const importing = { apps: appStore, certDir: options.certDir, apply, now: Date.now() };
    apps = await importApps(reference, importing, tallies.apps);
    const write = (devices: Parameters<typeof importDevices>[1]) =>
      importDevices(database, devices, { apply });
    await importPhones(reference, apps, write, Date.now, tallies.devices);
    if (options.responseLogs !== undefined)
      await exportLogs(reference, options.responseLogs, apply, tallies.logs);
  };
  try {
    await withProgress(
      () => asked.map((tally) => `${tally.table}: ${tally.read} rows`).join(', '),
      importEach,
    );
  } catch (error) {
    out('It ended early. Up to there:');
    for (const line of tallyLines(asked)) out(line);
    throw error;
  }
  out(apply ? 'Imported:' : 'Dry run, nothing was changed. With --apply this would be done:');
  for (const line of tallyLines(asked)) out(line);
  const advice = importAdvice(apps.values(), {
    apply,
    responseLogs: options.responseLogs !== undefined,
    certDir: options.certDir !== undefined,
  });
  for (const line of advice) out(line);
}

async function exportLogs(
  reference: ReferenceDatabase,
  path: string,
  apply: boolean,
  tally: ImportTally,
): Promise<void> {
  const file = await openResponseLogFile(path, { apply });
  try {
    await exportResponseLogs(reference, file, tally);
  } finally {
    await file.close();
  }
}

function lineOf(row: ReferenceRow): string | undefined {
  const { id, date, platform, roundtrip_time: seconds, available } = row;
  if (typeof date !== 'number' || typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined;
  if (!PLATFORMS.some((known) => known === platform)) return undefined;
  return JSON.stringify({
    id,
    date: new Date(date / 1_000).toISOString(),
    platform,
    roundtrip_seconds: seconds,
    available: Number(available) !== 0,
  });
}

/** Writes the response logs that the file does not have yet, a page at a time. */
async function exportResponseLogs(
  reference: Pick<ReferenceDatabase, 'responseLogs'>,
  file: Pick<ResponseLogFile, 'lastId' | 'append'>,
  tally: ImportTally,
): Promise<void> {
  for (let after = file.lastId; ; ) {
    const rows = await reference.responseLogs(after);
    const last = rows.at(-1);
    if (last === undefined) return;
    const lines = rows.map(lineOf).filter((line) => line !== undefined);
    await file.append(lines);
    tally.added += lines.length;
    if (lines.length < rows.length) tally.skip('damaged', rows.length - lines.length);
    after = Number(last['id']);
  }
}

/** App ids that mean nothing to a shell: commands are copied. */
const PLAIN = /^[\w.-]+$/;

/** What to do next, by what the import found; one line each. */
function importAdvice(
  apps: Iterable<KnownApp>,
  options: { readonly apply: boolean; readonly responseLogs: boolean; readonly certDir: boolean },
): readonly string[] {
  const { apply, responseLogs, certDir } = options;
  const absent = [...apps].filter(
    ({ key, platform, appId }) => key === undefined && platform !== undefined && PLAIN.test(appId),
  );
  const missing = absent.filter(({ platform }) => certDir || platform !== 'apns');
  const add = missing.map(({ platform, appId }) =>
    platform === 'apns'
      ? `${PROGRAM} apps add --platform apns --app-id ${appId} --apns-cert FILE (or --apns-key …)`
      : `${PROGRAM} apps add --platform ${platform} --app-id ${appId} --fcm-service-account FILE`,
  );
  const steps = [
    ...(missing.length === absent.length ? [] : ["give --cert-dir, the folder of Apple's certificates"]),
    ...add.map((command) => `add the app, with which its phones can come: ${command}`),
    ...(apply ? [] : ['do it: the same command with --apply']),
    ...(apply && add.length > 0 ? ['run this command again: it takes over the phones of those apps'] : []),
    ...(responseLogs ? [] : ['response logs stay where they are; to keep them: --response-logs FILE']),
  ];
  return steps.length === 0 ? [] : ['Next:', ...steps.map((step, index) => `  ${index + 1}. ${step}`)];
}

/**
 * Opens the database that is imported into. A dry run needs none: without one, `work` gets an empty one in memory.
 * Rejects as `withDatabase` does.
 */
async function withTarget(
  { err }: CommandContext,
  place: Pick<Config, 'databaseUrl' | 'databaseSetting'>,
  { apply }: { readonly apply: boolean },
  work: (database: Database) => Promise<void>,
): Promise<void> {
  try {
    await withDatabase(place, work);
  } catch (error) {
    if (apply || !(error instanceof CommandFailed && error.cause instanceof DatabaseMissing)) throw error;
    err(`Note: ${error.cause.message}; before --apply, make it: ${PROGRAM} migrate`);
    const inMemory = { ...place, databaseUrl: 'sqlite::memory:' };
    const migrated = async (database: Database) => {
      await migrate(database);
      await work(database);
    };
    await withDatabase(inMemory, migrated, { create: true });
  }
}
