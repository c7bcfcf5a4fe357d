import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { addAppsCommands } from '../../src/cli/apps/apps.ts';
import { addConfigCommands } from '../../src/cli/config/config-check.ts';
import { addMigrateCommand } from '../../src/cli/database/migrate.ts';
import { addDevicesCommands } from '../../src/cli/devices/devices.ts';
import { createCli } from './cli-fixture.ts';

const COMMANDS = [
  'migrate',
  'config check',
  'apps add',
  'apps list',
  'apps remove',
  'apps check',
  'devices list',
  'devices show',
  'devices remove',
  'devices wake',
];

describe('the command line', () => {
  it('what it does not know ends with 2 and a hint', async (t) => {
    const cli = await createCli(t);
    const cases = [
      [['sreve'], /unknown command 'sreve'\n\(Did you mean serve\?\)/],
      [['apps', 'lst'], /unknown command 'lst'\n\(Did you mean list\?\)/],
      [['apps', 'list', '--jsno'], /unknown option '--jsno'\n\(Did you mean --json\?\)/],
      [['devices', 'show', '12'], /'account'\. It must be a whole number from 100000000 to 999999999/],
      [['devices', 'list', '--limit', '0'], /'--limit <count>'.*from 1 to 1000/],
      [['devices', 'wake', '123456789', '--via', 'ftp://x'], /'--via <url>'.*must be an absolute http/],
    ] as const;
    for (const [args, expected] of cases) {
      const { code, stdout, stderr } = await cli.run(args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, expected);
      assert.match(stderr, /\(see --help\)/);
    }
  });

  it('the help of every command has an example that begins as one types it', async () => {
    for (const name of COMMANDS) {
      let printed = '';
      const program = new Command('vialer-middleware').exitOverride();
      program.configureOutput({
        writeOut: (text) => {
          printed += text;
        },
      });
      const context = { out: assert.fail, err: assert.fail };
      addMigrateCommand(program, context);
      addConfigCommands(program, context);
      addAppsCommands(program, context);
      addDevicesCommands(program, context);
      const asked = program.parseAsync([...name.split(' '), '--help'], { from: 'user' });
      await assert.rejects(asked, (error) => error instanceof CommanderError && error.exitCode === 0);
      assert.match(printed, new RegExp(`^  npm run -s cli -- ${name}`, 'm'));
    }
  });

  it('the help names the command as one types it in a checkout', async (t) => {
    const { stdout } = await (await createCli(t)).run(['apps', 'list', '--help']);
    assert.match(stdout, /^Usage: npm run -s cli -- apps list /);
    assert.doesNotMatch(stdout, /vialer-middleware /);
  });

  it('a group of commands without one shows what there is and exits 2', async (t) => {
    const cli = await createCli(t);
    const { code, stderr } = await cli.run(['devices']);
    assert.equal(code, 2);
    assert.match(stderr, /^ +wake /m);
  });
});
