import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { SCENARIOS } from '../../bench/scenarios/all-scenarios.ts';
import { tempFolder } from '../storage/temp-folder.ts';

function run(...options: readonly string[]) {
  return promisify(execFile)('npm', ['run', '--silent', 'bench', '--', ...options], { timeout: 100_000 });
}

describe('npm run bench', () => {
  it('its README tells of every scenario and every figure, and of no other', async () => {
    const text = await readFile('bench/README.md', 'utf8');
    const told = [...text.matchAll(/^\| `([a-z0-9.-]+)` \|/gm)].map(([, name]) => name);
    const figures = SCENARIOS.flatMap((scenario) => Object.keys(scenario.figures));
    assert.deepEqual(told.toSorted(), [...SCENARIOS.map(({ name }) => name), ...figures].toSorted());
    assert.equal(new Set(figures).size, figures.length);
  });

  it('measures a scenario and writes each of its figures with its ratio', async (t) => {
    const folder = await tempFolder();
    t.after(() => folder.remove());
    const file = join(folder.path, 'out.json');
    const { stdout } = await run('--quick', '--scenario', 'registrations', '--json', file);
    const report = JSON.parse(await readFile(file, 'utf8'));
    assert.deepEqual(report.problems, []);
    assert.equal(report.quick, true);
    assert.ok(report.machine.processors >= 1);
    assert.deepEqual(
      report.figures.map(({ name }: { readonly name: string }) => name),
      ['registrations.sqlite'],
    );
    for (const figure of report.figures) {
      assert.equal(figure.against, 'limit');
      assert.ok(figure.value > 0 && figure.baseline > 0);
      assert.equal(figure.ratio, figure.value / figure.baseline);
      assert.ok(stdout.includes(figure.title));
    }
  });

  it('refuses a scenario that it does not have, and says which there are', async () => {
    await assert.rejects(run('--scenario', 'nothing'), (error: unknown) => {
      assert.ok(error instanceof Error);
      for (const { name } of SCENARIOS) assert.ok(error.message.includes(name), name);
      return true;
    });
  });
});
