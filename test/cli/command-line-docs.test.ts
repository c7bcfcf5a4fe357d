import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { Command } from 'commander';
import { addAppsCommands } from '../../src/cli/apps/apps.ts';
import { addConfigCommands } from '../../src/cli/config/config-check.ts';
import { addCredentialsCommands } from '../../src/cli/credentials/credentials.ts';
import { addMigrateCommand } from '../../src/cli/database/migrate.ts';
import { addDevicesCommands } from '../../src/cli/devices/devices.ts';
import { addImportReferenceCommand } from '../../src/cli/import/import-reference.ts';
import { addSandboxCommand } from '../../src/cli/sandbox/sandbox.ts';
import { FAULT_KINDS } from '../../src/cli/sandbox/sandbox-fault.ts';
import { PHONE_BEHAVIOURS } from '../../src/cli/sandbox/sandbox-phone-rules.ts';

it('docs/command-line.md has a row and a section for each command; the section names its options', async () => {
  const text = await readFile(new URL('../../docs/command-line.md', import.meta.url), 'utf8');
  const sections = new Map(text.split(/^## /m).map((section) => [section.split('\n', 1)[0], section]));
  const program = new Command();
  const context = { out: assert.fail, err: assert.fail };
  addMigrateCommand(program, context);
  addImportReferenceCommand(program, context);
  addConfigCommands(program, context);
  addAppsCommands(program, context);
  addDevicesCommands(program, context);
  addCredentialsCommands(program, context);
  addSandboxCommand(program, context);
  const leaves = program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [{ name: command.name(), command }]
      : command.commands.map((leaf) => ({ name: `${command.name()} ${leaf.name()}`, command: leaf })),
  );
  assert.equal(leaves.length, 14);
  for (const { name, command } of leaves) {
    const section = sections.get(name);
    assert.ok(section, `a section for ${name}`);
    assert.match(text, new RegExp(`^\\| \\[\`${name}\`\\]\\(#`, 'm'), `a row for ${name}`);
    for (const { long } of command.options) assert.ok(section.includes(long ?? ''), `${name} ${long}`);
  }
  const sandbox = sections.get('sandbox') ?? '';
  for (const word of [...PHONE_BEHAVIOURS, ...Object.keys(FAULT_KINDS)])
    assert.match(sandbox, new RegExp(`^\\|.*\`${word}[\`:[]`, 'm'));
});
