import { type AppStore, createAppStore } from '../../apps/app-store.ts';
import { CredentialUnreadable } from '../../apps/credential-unreadable.ts';
import { createCredentialVault } from '../../apps/credential-vault.ts';
import { createProviderTokenStore, type ProviderTokenStore } from '../../apps/provider-token-store.ts';
import { ProviderTokenUnreadable } from '../../apps/provider-token-unreadable.ts';
import type { Config } from '../../config/config.ts';
import { countDevices } from '../../devices/count-devices.ts';
import { createDeviceStore, type DeviceStore } from '../../devices/device-store.ts';
import { PROGRAM } from '../../lib/program.ts';
import { shownDatabase } from '../../storage/address/database-address.ts';
import type { Database } from '../../storage/database.ts';
import { DatabaseMissing } from '../../storage/database-missing.ts';
import { DatabaseUrlError } from '../../storage/database-url-error.ts';
import { DatabaseTooNew, MigrationFailed, migrate, migrationState } from '../../storage/migrate.ts';
import { openDatabase } from '../../storage/open-database.ts';
import { COMMAND_LIMITS } from '../../storage/server/server-limits.ts';
import { StorageUnavailable } from '../../storage/storage-unavailable.ts';
import { CommandFailed } from './command-context.ts';

/** What is in the database. */
export interface Stores {
  readonly apps: AppStore;
  readonly devices: DeviceStore;
  readonly providerTokens: ProviderTokenStore;
  /** How many devices each app has, by app key; apps without any are left out. */
  countDevices(): Promise<ReadonlyMap<number, number>>;
}

/** Where the database is, and which setting says so. */
type DatabasePlace = Pick<Config, 'databaseUrl' | 'databaseSetting'>;

/** Whether a command may make a missing database and bring an older one up to date. */
interface Making {
  readonly create?: boolean;
}

/**
 * Opens the database for a command and closes it when `work` has ended. Without `create`, a database that is missing,
 * belongs to something else or is older than this program is refused and left as it is; with it, migrating is for `work`.
 * What an operator can do something about becomes `CommandFailed`.
 */
export async function withDatabase<T>(
  { databaseUrl, databaseSetting }: DatabasePlace,
  work: (database: Database) => Promise<T>,
  { create = false }: Making = {},
): Promise<T> {
  try {
    const database = await openDatabase(databaseUrl, COMMAND_LIMITS, { create });
    try {
      if (!create) await requireCurrent(database, databaseUrl);
      return await work(database);
    } finally {
      await database.close();
    }
  } catch (error) {
    throw asCommandFailure(error, databaseSetting);
  }
}

async function requireCurrent(database: Database, url: string): Promise<void> {
  switch (await migrationState(database)) {
    case 'empty':
      throw new DatabaseMissing(`the database ${shownDatabase(url)} has no tables of this service`);
    case 'behind':
      throw new CommandFailed(`The database must be brought up to date first: ${PROGRAM} migrate`);
    default:
  }
}

/** Opens the database as `withDatabase` does, with `create` brings it up to date, and gives its stores to `work`. */
export function withStores<T>(
  config: DatabasePlace & Pick<Config, 'credentialKeys'>,
  work: (stores: Stores) => Promise<T>,
  making: Making = {},
): Promise<T> {
  const withVault = async (database: Database) => {
    if (making.create === true) await migrate(database);
    const vault = createCredentialVault(config.credentialKeys);
    return work({
      apps: createAppStore(database, vault),
      devices: createDeviceStore(database),
      providerTokens: createProviderTokenStore(database, vault),
      countDevices: () => countDevices(database),
    });
  };
  return withDatabase(config, withVault, making);
}

const WHERE_IT_IS = `Run this command in the working directory and with the DATABASE_URL of the service; to make a new database: ${PROGRAM} migrate`;

function asCommandFailure(error: unknown, setting: Config['databaseSetting']): unknown {
  const cause = { cause: error };
  if (error instanceof DatabaseUrlError) return new CommandFailed(`${setting}: ${error.problem}`, 2, cause);
  if (error instanceof DatabaseMissing) {
    return new CommandFailed(`${setting}: ${error.message}. ${WHERE_IT_IS}`, 2, cause);
  }
  if (error instanceof StorageUnavailable) return new CommandFailed(`${setting}: ${error.detail}`, 1, cause);
  if (error instanceof DatabaseTooNew || error instanceof MigrationFailed)
    return new CommandFailed(`${setting}: ${error.message}`, 1, cause);
  if (error instanceof CredentialUnreadable) {
    return new CommandFailed(`${error.message}.`, error.problem.kind === 'key-missing' ? 2 : 1, cause);
  }
  return error instanceof ProviderTokenUnreadable ? new CommandFailed(`${error.message}.`, 2, cause) : error;
}
