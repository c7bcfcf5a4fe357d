import type { Compilable, CompiledQuery } from 'kysely';
import type { Database } from './database.ts';

/** A value for `build` that no query is ever run with. */
const PLACEHOLDER = 0;

/**
 * Compiles a query with one parameter now, so that running it costs no query building.
 * `build` makes it for the parameter it is given, and must use it exactly once and no other; else this throws.
 */
export function keyedQuery<Row>(
  database: Pick<Database, 'read'>,
  build: (key: number) => Compilable<Row>,
): (key: number) => Promise<readonly Row[]> {
  const compiled = build(PLACEHOLDER).compile();
  if (compiled.parameters.length !== 1) {
    throw new Error(`a keyed query has 1 parameter, this one ${compiled.parameters.length}`);
  }
  const { query, queryId, sql } = compiled;
  return (key) => {
    // Not spread: for the engine that would be a new kind of object each time.
    const keyed: CompiledQuery<Row> = { query, queryId, sql, parameters: [key] };
    return database.read(keyed).then(({ rows }) => rows);
  };
}
