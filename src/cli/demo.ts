// What a command needs is loaded when it is called: `--help` and the other commands start faster.
import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';

/** `demo`: wakes two simulated phones over real connections and tells each step. */
export function addDemoCommand(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description(
      'wake a simulated iPhone and a simulated Android phone, step by step; needs nothing, leaves nothing',
    )
    .addHelpText('after', '\nExample:\n  vialer-middleware demo')
    .action(async () => (await import('./demo-run.ts')).runDemo(context));
}
