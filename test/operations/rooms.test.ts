import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';

/** `import`, `export … from` and `import()` of a file of ours, with `type` if it is of types alone. */
const IMPORT = /(?:^|\n)(?:import|export)(\s+type)?\b[^;']*?\bfrom '(\.[^']+)'|import\('(\.[^']+)'\)/g;
const ROW = /^\| `([a-z0-9]+)(?:\/|\.ts)` \| .* \| ?([a-z0-9, *]*) ?\|$/gm;

function roomOf(path: string): string {
  return path.split('/')[1]?.replace('.ts', '') ?? '';
}

/** Rooms from top to bottom, each with its arrows: the room that it imports, in asterisks if for types alone. */
function documented(): readonly (readonly [string, readonly string[]])[] {
  return [...readFileSync('ARCHITECTURE.md', 'utf8').matchAll(ROW)].map(([, name = '', imports = '']) => [
    name,
    imports
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '')
      .sort(),
  ]);
}

function actual(): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, Set<string>>();
  const types = new Map<string, Set<string>>();
  for (const path of globSync('src/**/*.ts')) {
    const from = roomOf(path);
    for (const into of [values, types]) if (!into.has(from)) into.set(from, new Set());
    for (const [, type, source, later] of readFileSync(path, 'utf8').matchAll(IMPORT)) {
      const to = roomOf(normalize(join(dirname(path), source ?? later ?? '')));
      if (to !== from && to !== 'lib') (type === undefined ? values : types).get(from)?.add(to);
    }
  }
  return new Map(
    [...values].map(([room, used]) => {
      const only = [...(types.get(room) ?? [])].filter((each) => !used.has(each)).map((each) => `*${each}*`);
      return [room, [...used, ...only].sort()];
    }),
  );
}

describe('the rooms of ARCHITECTURE.md', () => {
  it('are the folders of src/, and their arrows are the imports, none missing and none too many', () => {
    assert.deepEqual(new Map([...documented()].sort()), new Map([...actual()].sort()));
  });

  it('stand in an order in which every arrow points down', () => {
    const order = documented().map(([name]) => name);
    for (const [name, imports] of documented()) {
      for (const each of imports) {
        const to = each.replaceAll('*', '');
        assert.ok(order.indexOf(to) > order.indexOf(name), `${name} imports ${to}, which is not below it`);
      }
    }
  });
});
