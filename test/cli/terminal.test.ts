import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inTerminal, SKIP_WITHOUT_TERMINAL } from '../helpers/in-terminal.ts';
import { createCliInWorld } from './world-fixture.ts';

const CLEARED = '\r\u001b[K';

it('on a terminal, long work shows how far it is and clears that line before its report', {
  skip: SKIP_WITHOUT_TERMINAL,
}, async (t) => {
  const cli = await createCliInWorld(t);
  const settings = { ...cli.settings, DATABASE_URL: cli.databaseUrl };
  const [checked, rotated] = await Promise.all([
    inTerminal(['apps', 'check'], settings, cli.folder),
    inTerminal(['credentials', 'rotate', '--decrypt'], settings, cli.folder),
  ]);
  assert.ok(checked.includes(`${CLEARED}0 of 2 apps checked`), checked);
  assert.ok(checked.includes(`${CLEARED}STATUS`), checked);
  assert.ok(rotated.includes(`${CLEARED}Reading the apps`), rotated);
  assert.ok(rotated.includes(`${CLEARED}Stored without encryption`), rotated);
});
