import { existsSync } from 'node:fs';
import { type Config, processSource, readConfig } from '../config/config.ts';
import { shownDatabase } from '../lib/database-address.ts';

/** What a command was given and where it writes. */
export interface CommandContext {
  /** A line for the person or the script that called. */
  readonly out: (line: string) => void;
  /** A line about what went wrong. */
  readonly err: (line: string) => void;
}

/** Ends a command with one clear line and an exit code: 1 where something failed, 2 where the caller must change something. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The settings of this process, or every problem with them in one failure. */
export function requireConfig(): Config {
  const report = readConfig(processSource());
  if (report.config !== undefined) return report.config;
  throw new CommandFailed(
    ['The settings cannot be used:', ...report.problems.map((line) => `  ${line}`)].join('\n'),
    2,
  );
}

/** What becomes of a SQLite file that does not exist: it stays so, or this command or `serve` creates it. */
type Missing = 'no such file' | 'will be created' | 'will be created by serve';

/** Tells on standard error which database a command uses: from another folder, or by a slip, it is another one. */
export function tellDatabase(
  { err }: CommandContext,
  { databaseUrl }: Pick<Config, 'databaseUrl'>,
  missing: Missing,
): void {
  const shown = shownDatabase(databaseUrl);
  const isMissing = shown.startsWith('sqlite:/') && !existsSync(shown.slice('sqlite:'.length));
  err(`Database: ${shown}${isMissing ? ` (${missing})` : ''}`);
}

/** The settings, for a command that uses the database that they name, which it tells. */
export function requireDatabaseConfig(context: CommandContext, missing: Missing = 'no such file'): Config {
  const config = requireConfig();
  tellDatabase(context, config, missing);
  return config;
}
