import type { ColumnDefinitionBuilder, CompiledQuery, Kysely, QueryResult, RawBuilder } from 'kysely';
import type { Shortage } from './server/lending-pool.ts';
import type { StorageFault, StorageUnavailable } from './storage-unavailable.ts';
import type { Tables } from './tables.ts';
import type { WriteGuard } from './write-guard.ts';

/** Everything in which the databases differ for our queries and migrations. */
export interface SqlDialect {
  readonly name: 'sqlite' | 'postgres' | 'mysql';
  /** Whether `select … for update` exists; where it does not, a transaction already excludes every other writer. */
  readonly rowLocks: boolean;
  /** What an error of the driver means for a caller; undefined for a mistake of ours, such as wrong SQL. */
  faultOf(error: unknown): StorageFault | undefined;
  readonly columns: {
    /** Text of at most `length` characters of any Unicode plane that `=` compares exactly, case included. */
    exactText(length: number): RawBuilder<unknown>;
    /** Text without a length bound of its own. */
    readonly longText: RawBuilder<unknown>;
    /** Type of a primary key that the database counts up and never hands out twice. */
    readonly rowId: RawBuilder<unknown>;
    /** Whatever the column of type `rowId` needs besides its type. */
    countedUp(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;
  };
  /** Whether a foreign key brings an index over its columns with it. */
  readonly indexesForeignKeys: boolean;
}

/** An open database. */
export interface Database {
  readonly kysely: Kysely<Tables>;
  readonly dialect: SqlDialect;
  /** Runs `work` without the time limit of ordinary queries, as migrating needs; resolves and rejects as it does. */
  migrating<T>(work: (kysely: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** Reads outside any transaction: what is committed. Rejects with the driver's own error. */
  read<Row>(query: CompiledQuery<Row>): Promise<QueryResult<Row>>;
  /** What became of changes. */
  readonly writes: WriteGuard;
  /** Why what is written does not last, which no question to the database shows; undefined where it does. */
  loss(): StorageUnavailable | undefined;
  /** A server that refuses new connections while others work. */
  shortage(): Shortage | undefined;
  /**
   * Writes to the disk, changing nothing, where there is cause to doubt that it can: almost no space is left, or the
   * latest change failed. Costs nothing else. Rejects with `StorageUnavailable`.
   */
  proveWriting(): Promise<void>;
  /** Lets go of the database; may be called twice. What is asked afterwards rejects with `StorageUnavailable`. */
  close(): Promise<void>;
}

/**
 * A database whose server may be away. It can be handed around at once: until `admit`, whatever is asked of it rejects
 * at once with the `StorageUnavailable` of `refuse`.
 */
export interface ClosedDatabase extends Database {
  /**
   * Asks the server what it is, as migrating needs to know. Rejects with `StorageUnavailable`, and with
   * `DatabaseUrlError` for what passes by no waiting.
   */
  contact(): Promise<void>;
  /** Why nothing may be asked yet. */
  refuse(why: StorageUnavailable): void;
  /** Lets everything through from now on. */
  admit(): void;
}
