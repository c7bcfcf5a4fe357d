import { createHash } from 'node:crypto';
import ts from 'typescript';
import type { Mutant } from './mutant.ts';
import { faultsOf } from './operators.ts';

/** Every mutant of a source file, from its first line to its last. Types have none: they do not run. */
export function findMutants(file: string, text: string): readonly Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    for (const fault of faultsOf(node)) {
      const { line, character } = source.getLineAndCharacterOfPosition(fault.start);
      mutants.push({ file, ...fault, line: line + 1, column: character + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return mutants;
}

/**
 * `size` of the mutants, chosen by chance; the same for the same seed. A mutant's place depends on itself alone: a change
 * of another file does not change which of this one's come first.
 */
export function chooseSample(mutants: readonly Mutant[], size: number, seed: number): readonly Mutant[] {
  const rank = ({ file, operator, start, replacement }: Mutant): string =>
    createHash('sha256')
      .update(JSON.stringify([seed, file, operator, start, replacement]))
      .digest('hex');
  return mutants
    .map((mutant) => ({ mutant, rank: rank(mutant) }))
    .sort((one, other) => (one.rank < other.rank ? -1 : 1))
    .slice(0, size)
    .map(({ mutant }) => mutant);
}

/** The source with this fault in it. */
export function mutate(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}
