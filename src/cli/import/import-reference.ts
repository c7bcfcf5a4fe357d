// What a command needs is loaded when it is called: `--help` and the other commands start faster.

import type { Command } from 'commander';
import { PROGRAM } from '../../lib/program.ts';
import type { CommandContext } from '../kit/command-context.ts';
import type { ImportOptions } from './import-reference-run.ts';

/** `import-reference`: takes over apps, phones and response logs of a running VoIPGRID/vialer-middleware. */
export function addImportReferenceCommand(program: Command, context: CommandContext): void {
  program
    .command('import-reference')
    .description(
      'take over apps and phones from the database of VoIPGRID/vialer-middleware (dry run without --apply)',
    )
    .option('--from <url>', 'its database: mysql://user:password@host:3306/database')
    .option('--from-file <file>', 'a file that holds this address')
    .option('--cert-dir <folder>', "the reference's deploy/local: Apple's certificates, which push_key names")
    .option('--response-logs <file>', 'write its response logs there, as JSON lines')
    .option('--apply', 'do it; without it nothing is changed')
    .addHelpText('after', EXAMPLES)
    .action(async (options: ImportOptions) => {
      const { runImportReference } = await import('./import-reference-run.ts');
      await runImportReference(context, options);
    });
}

const EXAMPLES = `
The address may also be in REFERENCE_DATABASE_URL, where other users of this machine cannot read its password. The
reference's database is only read.

Examples:
  REFERENCE_DATABASE_URL=mysql://user:password@db.example.org/middleware \\
    ${PROGRAM} import-reference --cert-dir deploy/local
  ${PROGRAM} import-reference --from-file reference.url --cert-dir deploy/local --apply`;
