// What a command needs is loaded when it is called: `--help` and the other commands start faster.

import type { Command } from 'commander';
import { PROGRAM } from '../../lib/program.ts';

/** `serve`: runs the service until SIGTERM or SIGINT. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('run the service (settings come from the environment: docs/configuration.md)')
    .addHelpText('after', EXAMPLES)
    .action(async () => (await import('./serve-run.ts')).runServe());
}

const EXAMPLES = `
Examples:
  ${PROGRAM} serve
      on this machine alone: http://127.0.0.1:8080, devices in data/middleware.db
  HOST=0.0.0.0 APP_API_URL=https://push.example.org ACCOUNT_AUTH=voipgrid VG_API_BASE_URL=https://api.example.org \\
    PBX_ALLOW=192.0.2.0/24 ${PROGRAM} serve
      for phones and PBXs elsewhere`;
