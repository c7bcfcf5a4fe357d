import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { describe, it } from 'node:test';
import { chooseSample, findMutants, mutate } from '../../scripts/mutation/find-mutants.ts';
import { OPERATORS } from '../../scripts/mutation/mutant.ts';

/** Every faulty text that this one can become. */
function faultyTexts(text: string): string[] {
  return findMutants('src/one.ts', text).map((mutant) => mutate(text, mutant));
}

const CASES: readonly (readonly [text: string, expected: readonly string[]])[] = [
  ['if (a) b = c;', ['if (!(a)) b = c;', 'if (a) ;']],
  ['if (!a) throw b;', ['if (!(!a)) throw b;', 'if (!a) ;']],
  ['a = b ? c : d;', [';', 'a = !(b) ? c : d;']],
  ['while (a) b++;', ['while (false) b++;', 'while (a) ;', 'while (a) b--;']],
  ['for (; a; ) --b;', ['for (; false; ) --b;', 'for (; a; ) ;', 'for (; a; ) ++b;']],
  ['const a = !b;', ['const a = b;']],
  ['const a = b < c;', ['const a = b <= c;']],
  ['const a = b >= c;', ['const a = b > c;']],
  ['const a = b === c;', ['const a = b !== c;']],
  ['const a = b * c;', ['const a = b / c;']],
  ["const a = b + 'c';", ["const a = b + '';"]],
  ['const a = b && c;', ['const a = b || c;']],
  ['const a = b ?? c;', ['const a = b;']],
  ['const a = b?.c;', ['const a = b.c;']],
  ['const a = b?.[c];', ['const a = b[c];']],
  ['const a = b?.(c);', ['const a = b(c);']],
  ['const a = true;', ['const a = false;']],
  ["const a = '';", ["const a = 'mutated';"]],
  [`const a = \`b\${c}\`;`, ['const a = ``;']],
  ['const a = [b];', ['const a = [];']],
  ['[a, b] = c;', [';']],
  ['function a() { return b; }', ['function a() { return; }']],
  ['function a() { return undefined; }', []],
  ['function a() { return b satisfies never; }', []],
  ['a satisfies never;', []],
  ['const a = () => b;', ['const a = () => undefined;']],
  ['class A extends B { constructor() { super(); } }', []],
  ["import { a } from 'b';", []],
  ["type A = 'b' | true;", []],
  ["const a = b as 'c';", []],
];

describe('the faults that are tried', () => {
  for (const [text, expected] of CASES) {
    it(`in: ${text}`, () => assert.deepEqual(faultyTexts(text), expected));
  }

  it('are all in docs/testing.md, and no other', () => {
    const rows = [...readFileSync('docs/testing.md', 'utf8').matchAll(/^\| ([a-z ]+) \| `/gm)];
    assert.deepEqual(
      rows.map(([, name]) => name),
      OPERATORS,
    );
  });

  it('leave TypeScript that Node can run', () => {
    for (const file of globSync('src/calls/**/*.ts')) {
      const text = readFileSync(file, 'utf8');
      for (const mutant of findMutants(file, text))
        assert.doesNotThrow(() => stripTypeScriptTypes(mutate(text, mutant)), `${file}:${mutant.line}`);
    }
  });

  it('have the place where an editor finds them', () => {
    const [mutant] = findMutants('src/one.ts', 'let a;\n  a = b;');
    assert.deepEqual([mutant?.line, mutant?.column], [2, 3]);
  });
});

describe('a sample', () => {
  const texts = new Map([
    ['src/one.ts', 'const a = [b < c, d === e, f * g, !h, true, false];'],
    ['src/two.ts', 'const a = [b && c, d || e, f ?? g];'],
  ]);
  const mutants = [...texts].flatMap(([file, text]) => findMutants(file, text));

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(chooseSample(mutants, 4, 1), chooseSample(mutants, 4, 1));
    assert.notDeepEqual(chooseSample(mutants, 4, 1), chooseSample(mutants, 4, 2));
    assert.equal(chooseSample(mutants, 4, 1).length, 4);
  });

  it('of a larger size begins with the smaller one, so a longer run goes on where a short one ended', () => {
    assert.deepEqual(chooseSample(mutants, 8, 1).slice(0, 4), chooseSample(mutants, 4, 1));
  });

  it('keeps its order in one file when another file changes', () => {
    const ofOne = mutants.filter(({ file }) => file === 'src/one.ts');
    const chosen = chooseSample(mutants, mutants.length, 1).filter(({ file }) => file === 'src/one.ts');
    assert.deepEqual(chosen, chooseSample(ofOne, ofOne.length, 1));
  });
});
