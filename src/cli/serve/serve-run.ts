import { CredentialUnreadable } from '../../apps/credential-unreadable.ts';
import { type Config, processSource, readConfig } from '../../config/config.ts';
import { type RunningService, startService } from '../../service/start-service.ts';
import { STOP_LIMIT_MS } from '../../service/stopping.ts';
import { shownDatabase } from '../../storage/address/database-address.ts';
import { DatabaseUrlError } from '../../storage/database-url-error.ts';
import { StorageUnavailable } from '../../storage/storage-unavailable.ts';
import { createLog, type Log, type LogLevel } from '../../telemetry/log.ts';
import { CommandFailed, requireConfig } from '../kit/command-context.ts';

/** Milliseconds that remain after a second signal, and for what a fault left open after the end. */
const EXIT_LIMIT_MS = 1_000;

/** The work of `serve`. */
export async function runServe(): Promise<void> {
  const config = requireConfig();
  const { warnings } = readConfig(processSource());
  const format = config.logFormat === 'auto' ? (process.stdout.isTTY ? 'pretty' : 'json') : config.logFormat;
  const signals = listenForSignals(config.shutdownGraceMs + STOP_LIMIT_MS + EXIT_LIMIT_MS);
  // Node's own answer to SIGHUP is to die. One that comes while the service starts is done when it has started.
  const starting = Promise.withResolvers<RunningService>();
  process.on('SIGHUP', () => void starting.promise.then((service) => service.reload()));

  const startFailure = (error: unknown) => failedStart(error, config);
  let log: Log | undefined;
  const openLog = (onDropped: () => void): Log => {
    log = createLog({ level: config.logLevel, format, onDropped });
    return log;
  };
  try {
    const service = await startService(config, openLog).catch(async (error: unknown) => {
      const failure = startFailure(error);
      await lastLine(log, 'error', failure.message);
      throw failure;
    });
    starting.resolve(service);
    for (const warning of warnings) service.warn(warning);
    const ended = await Promise.race([signals.stop, service.broken.then(startFailure)]);
    await service.stop(signals.hurry);
    const failure = typeof ended === 'string' ? undefined : ended;
    await lastLine(log, failure === undefined ? 'info' : 'error', failure?.message ?? String(ended));
    if (failure !== undefined) throw failure;
  } finally {
    // A handle that a fault left open, or a message that standard error does not take, must not keep the process.
    setTimeout(exitNow, EXIT_LIMIT_MS).unref();
  }
}

/**
 * The first SIGTERM or SIGINT resolves `stop` with its name, the second `hurry`. Whatever hangs, the process exits: `limitMs` after the
 * first, a second after the second, at once with the third.
 */
function listenForSignals(limitMs: number): {
  readonly stop: Promise<NodeJS.Signals>;
  readonly hurry: Promise<void>;
} {
  const stop = Promise.withResolvers<NodeJS.Signals>();
  const hurry = Promise.withResolvers<void>();
  const steps = [
    (signal: NodeJS.Signals) => {
      stop.resolve(signal);
      setTimeout(exitNow, limitMs, 1).unref();
    },
    () => {
      hurry.resolve();
      setTimeout(exitNow, EXIT_LIMIT_MS, 1).unref();
    },
  ];
  const onSignal = (signal: NodeJS.Signals): void => {
    const step = steps.shift();
    if (step === undefined) exitNow(1);
    else step(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { stop: stop.promise, hurry: hurry.promise };
}

/** What Node calls work of its threads: `process.exit` waits for it, however long a name server or a disk takes. */
const THREADS_WORK = new Set(['FSReqCallback', 'FSReqPromise', 'GetAddrInfoReqWrap', 'GetNameInfoReqWrap']);

function exitNow(code?: number): void {
  if (process.getActiveResourcesInfo().some((name) => THREADS_WORK.has(name))) {
    process.kill(process.pid, 'SIGKILL');
  }
  process.exit(code);
}

type DatabasePlace = Pick<Config, 'databaseSetting' | 'databaseUrl'>;

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
function failedStart(error: unknown, database: DatabasePlace): CommandFailed {
  const exitCode = needsSettings(error) ? 2 : 1;
  const words = wordsOf(error, database);
  return new CommandFailed(`The service could not start: ${words}`, exitCode, { cause: error });
}

function wordsOf(error: unknown, { databaseSetting, databaseUrl }: DatabasePlace): string {
  if (error instanceof DatabaseUrlError) return `${databaseSetting}: ${error.problem}`;
  if (error instanceof StorageUnavailable)
    return `${databaseSetting}: ${shownDatabase(databaseUrl)}: ${error.detail}`;
  return error instanceof Error ? error.message : String(error);
}
