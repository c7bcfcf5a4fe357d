/** The names of a union: a table that lacks one does not compile. */
export const names = <Name extends string>(table: Readonly<Record<Name, true>>): readonly string[] =>
  Object.keys(table);
