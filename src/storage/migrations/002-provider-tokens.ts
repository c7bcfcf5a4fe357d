import type { Migration } from 'kysely/migration';
import type { SqlDialect } from '../database.ts';

/** Apple's provider tokens, shared by all processes. */
export function providerTokens({ columns }: SqlDialect): Migration {
  return {
    up: async (db) => {
      await db.schema
        .createTable('provider_tokens')
        .ifNotExists()
        .addColumn('credential_id', columns.exactText(100), (column) => column.primaryKey().notNull())
        .addColumn('jwt', columns.longText, (column) => column.notNull())
        .addColumn('minted_at', 'bigint', (column) => column.notNull())
        .execute();
    },
  };
}
