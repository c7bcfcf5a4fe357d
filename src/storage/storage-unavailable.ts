import { driverWords } from './driver-words.ts';

const EXPLANATION = {
  busy: 'another program holds the database locked',
  crowded: 'the database server takes no more connections',
  closed: 'the database was closed',
  conflict: 'the database was changed by others at the same moment, several times in a row',
  damaged: 'the database is damaged or is no database',
  forbidden: 'the database user lacks a right: it needs SELECT, INSERT, UPDATE and DELETE on the tables',
  full: 'the disk or the database is full',
  gone: 'the database server cannot be reached',
  io: 'the database cannot be read or written',
  opening: 'the database is being opened and brought up to date',
  'read-only': 'the database cannot be written',
  replaced:
    'the database file was deleted, moved, replaced or overwritten: bring it back, or restore a backup (docs/operations.md), and restart',
  refused: 'the database server refuses this user, password or database',
  slow: 'the database did not answer in time',
  untrusted: 'the database server offers no encrypted connection that can be trusted',
} as const;

/** Why the database could not do what it was asked; each is a passing or an operator's matter, none a caller's. */
export type StorageFault = keyof typeof EXPLANATION;

/** The database could not answer: a request gets 503 or NAK. The driver's error is the cause. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable';
  readonly fault: StorageFault;
  /** For a person; names neither addresses nor data. */
  readonly explanation: string;

  constructor(fault: StorageFault, options: { readonly cause: unknown }) {
    super(`storage unavailable: ${EXPLANATION[fault]}`, options);
    this.fault = fault;
    this.explanation = EXPLANATION[fault];
  }

  /** The message with what the database itself said, for the operator's terminal; never what rows hold. */
  get detail(): string {
    // Two rows that are in each other's way are quoted.
    const words = this.fault === 'conflict' ? undefined : driverWords(this.cause);
    return words === undefined ? this.message : `${this.message}: ${words}`;
  }
}
