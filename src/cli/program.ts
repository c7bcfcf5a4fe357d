import { Command, CommanderError } from 'commander';
import { packageVersion } from '../lib/package-version.ts';
import { PROGRAM } from '../lib/program.ts';
import { addAppsCommands } from './apps/apps.ts';
import { addConfigCommands } from './config/config-check.ts';
import { addCredentialsCommands } from './credentials/credentials.ts';
import { addMigrateCommand } from './database/migrate.ts';
import { addDemoCommand } from './demo/demo.ts';
import { addDevicesCommands } from './devices/devices.ts';
import { addImportReferenceCommand } from './import/import-reference.ts';
import { type CommandContext, CommandFailed } from './kit/command-context.ts';
import { loadEnvFile } from './kit/load-env-file.ts';
import { addSandboxCommand } from './sandbox/sandbox.ts';
import { addServeCommand } from './serve/serve.ts';

/** Runs the command that the arguments name; resolves with the exit code. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const context: CommandContext = {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
  };
  // Whoever reads the output may stop reading (`… | head`): that ends the command, quietly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  // What goes wrong with the reports of what goes wrong must not end the service.
  process.stderr.on('error', () => {});
  try {
    await createProgram(context).parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommandFailed) {
      context.err(error.message);
      return error.exitCode;
    }
    // Commander has written its own message by now.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

function createProgram(context: CommandContext): Command {
  const program = new Command(PROGRAM)
    .description(
      'Wakes sleeping phones for incoming calls: between SIP PBXs and the push services of Apple and Google.',
    )
    .version(packageVersion())
    .option(
      '--env-file <path>',
      'read settings from a file of NAME=value lines; the environment takes precedence',
    )
    .hook('preAction', async (_program, command) => {
      const { envFile } = command.optsWithGlobals<{ readonly envFile?: string }>();
      if (envFile !== undefined) await loadEnvFile(context, envFile);
    })
    .showHelpAfterError('(see --help)')
    .exitOverride();
  addServeCommand(program);
  addMigrateCommand(program, context);
  addImportReferenceCommand(program, context);
  addConfigCommands(program, context);
  addAppsCommands(program, context);
  addDevicesCommands(program, context);
  addCredentialsCommands(program, context);
  addDemoCommand(program, context);
  addSandboxCommand(program, context);
  return program;
}
