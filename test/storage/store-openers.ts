import { join } from 'node:path';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { tempFolder } from './temp-folder.ts';

/** An empty migrated database of its own. */
export interface OpenStore {
  readonly database: Database;
  close(): Promise<void>;
}

/** A kind of database that the contract suites run on. */
export interface StoreOpener {
  readonly name: string;
  open(): Promise<OpenStore>;
}

async function migrated(url: string): Promise<Database> {
  const database = await openDatabase(url);
  await migrate(database);
  return database;
}

async function openFile(): Promise<OpenStore> {
  const folder = await tempFolder();
  const database = await migrated(`sqlite:${join(folder.path, 'test.db')}`);
  return {
    database,
    close: async () => {
      await database.close();
      await folder.remove();
    },
  };
}

/** Every kind of database that the stores must behave alike on. */
export const STORE_OPENERS: readonly StoreOpener[] = [
  { name: 'SQLite in a file', open: openFile },
  {
    name: 'SQLite in memory',
    open: async () => {
      const database = await migrated('sqlite::memory:');
      return { database, close: () => database.close() };
    },
  },
];
