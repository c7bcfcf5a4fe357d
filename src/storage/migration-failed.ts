import { driverWords } from './driver-words.ts';

/** The database refused a migration for a reason of its own. The driver's error is the cause. */
export class MigrationFailed extends Error {
  override readonly name = 'MigrationFailed';

  constructor(cause: unknown) {
    super(`the database could not be brought up to date: ${driverWords(cause) ?? 'unknown error'}`, {
      cause,
    });
  }
}
