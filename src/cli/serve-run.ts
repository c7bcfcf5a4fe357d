import { type RunningApp, startApp } from '../app.ts';
import { type Config, processSource, readConfig } from '../config/config.ts';
import { CredentialUnreadable } from '../devices/credential-unreadable.ts';
import { DatabaseUrlError } from '../storage/database-url-error.ts';
import { StorageUnavailable } from '../storage/storage-unavailable.ts';
import { createLog, type Log, type LogLevel } from '../telemetry/log.ts';
import { CommandFailed, requireConfig } from './command-context.ts';

/** The work of `serve`. */
export async function runServe(): Promise<void> {
  const config = requireConfig();
  const { warnings } = readConfig(processSource());
  const format = config.logFormat === 'auto' ? (process.stdout.isTTY ? 'pretty' : 'json') : config.logFormat;
  const stopAsked = Promise.withResolvers<string>();
  const stopNow = Promise.withResolvers<void>();
  const onSignal = (signal: NodeJS.Signals) => {
    stopAsked.resolve(signal);
    process.once('SIGTERM', () => stopNow.resolve());
    process.once('SIGINT', () => stopNow.resolve());
  };
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  // Node's own answer to SIGHUP is to die. One that comes while the service starts is done when it has started.
  const starting = Promise.withResolvers<RunningApp>();
  process.on('SIGHUP', () => void starting.promise.then((app) => app.reload()));

  const startFailure = (error: unknown) => failedStart(error, config.databaseSetting);
  let log: Log | undefined;
  const openLog = (onDropped: () => void): Log => {
    log = createLog({ level: config.logLevel, format, onDropped });
    return log;
  };
  const app = await startApp(config, openLog).catch(async (error: unknown) => {
    const failure = startFailure(error);
    await lastLine(log, 'error', failure.message);
    throw failure;
  });
  starting.resolve(app);
  for (const warning of warnings) app.warn(warning);
  const ended = await Promise.race([stopAsked.promise, app.broken.then(startFailure)]);
  const failure = typeof ended === 'string' ? undefined : ended;
  await app.stop(stopNow.promise);
  await lastLine(log, failure === undefined ? 'info' : 'error', failure?.message ?? String(ended));
  // Stopping is bounded; a handle that a fault left open must not keep the process either.
  setTimeout(() => process.exit(), EXIT_LIMIT_MS).unref();
  if (failure !== undefined) throw failure;
}

const EXIT_LIMIT_MS = 1_000;

/** Every part is closed by now, the log's last lines included: this one has a flush of its own. */
async function lastLine(log: Log | undefined, level: LogLevel, reason: string): Promise<void> {
  log?.write(level, 'stopped', { reason });
  await log?.flush();
}

/** Whether a setting must be changed before the service can start. */
function needsSettings(error: unknown): boolean {
  const keyMissing = error instanceof CredentialUnreadable && error.problem.kind === 'key-missing';
  return keyMissing || error instanceof DatabaseUrlError;
}

/** The reason in one line: what could not be opened or listened on. */
function failedStart(error: unknown, databaseSetting: Config['databaseSetting']): CommandFailed {
  const exitCode = needsSettings(error) ? 2 : 1;
  const words = wordsOf(error, databaseSetting);
  return new CommandFailed(`The service could not start: ${words}`, exitCode, { cause: error });
}

function wordsOf(error: unknown, databaseSetting: Config['databaseSetting']): string {
  if (error instanceof DatabaseUrlError) return `${databaseSetting}: ${error.problem}`;
  if (error instanceof StorageUnavailable) return `${databaseSetting}: ${error.detail}`;
  return error instanceof Error ? error.message : String(error);
}
