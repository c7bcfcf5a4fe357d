// What a command needs is loaded when it is called: `--help` and the other commands start faster.

import type { Command } from 'commander';
import { PROGRAM } from '../../lib/program.ts';
import type { CommandContext } from '../kit/command-context.ts';

/** `demo`: calls three simulated phones over real connections and reports each step. */
export function addDemoCommand(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description(
      'call three simulated phones, one of which cannot ring, step by step; needs nothing, leaves nothing',
    )
    .addHelpText('after', `\nExample:\n  ${PROGRAM} demo`)
    .action(async () => (await import('./demo-run.ts')).runDemo(context));
}
