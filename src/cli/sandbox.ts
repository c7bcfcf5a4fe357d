// What a command needs is loaded when it is called: `--help` and the other commands start faster.
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';

/** `sandbox`: runs the stand-ins until it is stopped, for trying the service without Apple and Google. */
export function addSandboxCommand(program: Command, context: CommandContext): void {
  program
    .command('sandbox')
    .description(
      'run stand-ins for Apple, Google, the platform API and phones, and print the settings to use them',
    )
    .option('--folder <path>', 'where the certificate and the database of the sandbox go', 'data/sandbox')
    .addHelpText('after', EXAMPLE)
    .action(async (options: { readonly folder: string }) => {
      const { runSandbox } = await import('./sandbox-run.ts');
      await runSandbox(context, resolve(options.folder));
    });
}

const EXAMPLE = `
Example:
  vialer-middleware sandbox
      prints lines such as "export APNS_URL=https://127.0.0.1:40123"; paste them in another shell, then
  vialer-middleware serve`;
