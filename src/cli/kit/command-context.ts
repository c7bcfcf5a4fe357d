import { existsSync } from 'node:fs';
import { type Config, type ConfigSource, processSource, readConfig } from '../../config/config.ts';
import { readStoreSettings, type StoreSettings } from '../../config/part-settings.ts';
import { SettingsReader } from '../../config/settings-reader.ts';
import { shownDatabase } from '../../storage/address/database-address.ts';

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

/** All settings of this process, or every problem with them in one failure. */
export function requireConfig(): Config {
  const report = readConfig(processSource());
  if (report.config !== undefined) return report.config;
  throw unusable(report.problems);
}

/** Those settings that `read` reads, or every problem with them in one failure: a command needs no others. */
export function requireSettings<T>(read: (reader: SettingsReader, source: ConfigSource) => T): T {
  const source = processSource();
  const reader = new SettingsReader(source);
  const settings = read(reader, source);
  if (reader.problems.length === 0) return settings;
  throw unusable(reader.problems);
}

function unusable(problems: readonly string[]): CommandFailed {
  return new CommandFailed(
    ['The settings cannot be used:', ...problems.map((line) => `  ${line}`)].join('\n'),
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

/** The settings of a command that needs only the database, which it names. */
export function requireDatabaseConfig(
  context: CommandContext,
  missing: Missing = 'no such file',
): StoreSettings {
  const settings = requireSettings(readStoreSettings);
  tellDatabase(context, settings, missing);
  return settings;
}
