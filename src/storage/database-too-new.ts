/** The database was migrated by a newer version of this program. */
export class DatabaseTooNew extends Error {
  override readonly name = 'DatabaseTooNew';

  constructor(migration: string) {
    super(
      `the database was used by a newer version of this program (it has the migration "${migration}"): install that version, or restore a backup from before`,
    );
  }
}
