/** The names of a union: a table that lacks one does not compile. */
export function names<Name extends string>(table: Readonly<Record<Name, true>>): readonly string[] {
  return Object.keys(table);
}
