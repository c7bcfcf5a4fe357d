import { readFile, stat } from 'node:fs/promises';
import { type AppStore, createAppStore } from '../../apps/app-store.ts';
import { createCredentialVault } from '../../apps/credential-vault.ts';
import { importDevices } from '../../devices/import-devices.ts';
import type { Database } from '../../storage/database.ts';
import { type CommandContext, CommandFailed, requireDatabaseConfig } from '../kit/command-context.ts';
import { withProgress } from '../kit/with-progress.ts';
import { exportResponseLogs } from './export-response-logs.ts';
import { importAdvice } from './import-advice.ts';
import { importApps, type KnownApp } from './import-apps.ts';
import { importPhones } from './import-phones.ts';
import { ImportTally, tallyLines } from './import-tally.ts';
import { openReference, type ReferenceDatabase } from './reference-database.ts';
import { openResponseLogFile } from './response-log-file.ts';
import { withTarget } from './with-target.ts';

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
export const runImportReference = async (context: CommandContext, options: ImportOptions): Promise<void> => {
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
};

const addressOf = async ({ from, fromFile }: ImportOptions): Promise<string> => {
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
};

const checkFolder = async (path: string | undefined): Promise<void> => {
  if (path === undefined) return;
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new CommandFailed(`--cert-dir: "${path}" is no folder.`, 2);
};

const importAll = async (
  { out }: CommandContext,
  options: ImportOptions,
  reference: ReferenceDatabase,
  database: Database,
  appStore: AppStore,
): Promise<void> => {
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
};

const exportLogs = async (
  reference: ReferenceDatabase,
  path: string,
  apply: boolean,
  tally: ImportTally,
): Promise<void> => {
  const file = await openResponseLogFile(path, { apply });
  try {
    await exportResponseLogs(reference, file, tally);
  } finally {
    await file.close();
  }
};
