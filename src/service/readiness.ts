import type { DeviceProbe } from '../devices/device-probe.ts';
import type { Readiness, ReadinessReason, ReadinessSubject } from '../http/routes/ops-routes.ts';
import { monotonic } from '../lib/monotonic.ts';
import { sharedRun } from '../lib/shared-run.ts';
import { within } from '../lib/within.ts';
import type { Database } from '../storage/database.ts';
import { StorageUnavailable } from '../storage/storage-unavailable.ts';
import type { ReadinessEvents } from '../telemetry/readiness-telemetry.ts';
import type { BusParts } from './bus-parts.ts';

/** What readiness is made of. */
export interface ReadinessDeps {
  readonly database: Pick<Database, 'shortage' | 'writes'>;
  readonly poolSize: number;
  readonly probe: DeviceProbe;
  /** Whether calls could get their device from memory while the database is down. */
  readonly holdsDevices: () => boolean;
  readonly bus: Pick<BusParts, 'degraded' | 'notReady'>;
  readonly isStopping: () => boolean;
  /** Whether new calls are turned away because this process is late or full. */
  readonly isOverloaded: () => boolean;
  /** Apps that are known, and how many have a stored credential that cannot be read; undefined until they were read. */
  readonly apps: () => { readonly known: number; readonly unreadable: number } | undefined;
  readonly events: ReadinessEvents & { databaseHealth(answers: boolean): void };
}

/** Looks whether this instance can serve calls. */
export interface ReadinessWatch {
  /** Looks now; whoever asks while a look is under way gets what that one comes to. Never rejects, at most a second. */
  look(): Promise<Readiness>;
  /** Looks now and then from now on, so that log and metrics show what nobody asks for. */
  start(): void;
  stop(): void;
}

/** Milliseconds for all that the database is asked in one look. */
const DATABASE_LIMIT_MS = 1_000;
/** Milliseconds between two looks of our own. */
const LOOK_EVERY_MS = 2_000;
/** While changes are held up, they are tried this often: each try may wait for its deadline, on a connection. */
const RETRY_CHANGE_MS = 2_000;

type Finding = { readonly reason: string; readonly error: unknown } | undefined;

/** What a probe came to; undefined: it did what it should. */
function outcomeOf(probe: Promise<void>, limitMs: number, late: string): Promise<Finding> {
  return within(probe, limitMs).then(
    (inTime) => (inTime ? undefined : { reason: late, error: undefined }),
    (error: unknown) => {
      if (!(error instanceof StorageUnavailable)) return { reason: '', error };
      return { reason: error.fault === 'slow' ? late : error.explanation, error };
    },
  );
}

const SEE_LOG = 'see the log for its words';
const SLOW = 'the database did not answer in time';
/** Reading works at that moment, and a change of no row takes as long as reading. */
const HELD_UP =
  'a change takes too long although reading works: another session holds a lock, as a backup does, or the disk is stuck';

/** Says each thing once at a time. */
export function createReadiness(deps: ReadinessDeps): ReadinessWatch {
  const { database, probe, events } = deps;
  const tryChange = sharedRun(probe.change);
  let heldUp: { readonly finding: Finding; readonly at: number } | undefined;
  let lastError: unknown;
  let lastWords = '';
  let timer: NodeJS.Timeout | undefined;

  async function registrations(limitMs: number): Promise<Finding> {
    const isFresh = heldUp !== undefined && monotonic() - heldUp.at < RETRY_CHANGE_MS;
    if (heldUp !== undefined && isFresh && database.writes.confirmedAt < heldUp.at) return heldUp.finding;
    const finding = await outcomeOf(tryChange(), limitMs, HELD_UP);
    heldUp = finding && { finding, at: monotonic() };
    return finding;
  }

  async function askDatabase(): Promise<Readiness> {
    const startedAt = monotonic();
    const reading = await outcomeOf(probe.read(), DATABASE_LIMIT_MS, SLOW);
    events.databaseHealth(reading === undefined);
    if (reading !== undefined) {
      lastError = reading.error;
      events.databaseUnanswered();
      return withoutDatabase(reading);
    }
    const changing = await registrations(Math.max(100, DATABASE_LIMIT_MS - (monotonic() - startedAt)));
    lastError = changing?.error;
    const reasons: ReadinessReason[] = [];
    if (changing !== undefined) {
      reasons.push({
        subject: 'registrations',
        text: `phones cannot register: ${changing.reason || `the database answers with an error, ${SEE_LOG}`}`,
      });
    }
    const shortage = database.shortage();
    if (shortage !== undefined) {
      lastError ??= shortage.refusal;
      const text = `the database server refuses new connections: ${shortage.granted} of ${deps.poolSize} work (DATABASE_POOL_SIZE)`;
      reasons.push({ subject: 'database', text });
    }
    return { notReady: [], degraded: reasons };
  }

  function withoutDatabase({ reason, error }: NonNullable<Finding>): Readiness {
    if (error instanceof StorageUnavailable && error.fault === 'replaced') return notReady(reason);
    // The schema or a query is wrong, and no call gets its phone from memory for that.
    if (reason === '') return notReady(`the database answers with an error, ${SEE_LOG}`);
    return deps.holdsDevices()
      ? degraded(
          `the database does not answer, so only accounts in memory ring (DEVICE_CACHE_SECONDS): ${reason}`,
        )
      : notReady(`the database does not answer: ${reason}`);
  }

  function appReasons(): readonly ReadinessReason[] {
    const { known, unreadable } = deps.apps() ?? { known: undefined, unreadable: 0 };
    const reasons: ReadinessReason[] = [];
    if (known === 0) {
      reasons.push({
        subject: 'apps',
        text: 'no app is known, so no phone can register or ring: add one with "apps add"',
      });
    }
    if (unreadable > 0) {
      const text = `the stored credential of ${unreadable} app(s) cannot be read: set CREDENTIALS_KEY_PREVIOUS, or "apps add" it again`;
      reasons.push({ subject: 'apps', text });
    }
    return reasons;
  }

  async function lookOnce(): Promise<Readiness> {
    const asked = await askDatabase();
    const { bus } = deps;
    const readiness = {
      notReady: [
        ...(deps.isStopping() ? [{ subject: 'stopping', text: 'stopping' } as const] : []),
        ...asked.notReady,
        ...about('redis', bus.notReady()),
      ],
      degraded: [
        ...asked.degraded,
        ...about('redis', bus.degraded()),
        ...appReasons(),
        ...(deps.isOverloaded()
          ? about('load', [
              'new calls are turned away: too many wait (MAX_WAITING_CALLS), or the process is late (EVENT_LOOP_LIMIT)',
            ])
          : []),
      ],
    };
    events.readinessLooked(readiness);
    return readiness;
  }

  const look = sharedRun(lookOnce);
  async function tell(): Promise<void> {
    const readiness = await look();
    const words = wordsOf(readiness);
    if (words === lastWords || deps.isStopping()) return;
    lastWords = words;
    events.readinessChanged(readiness, lastError);
  }
  return {
    look,
    start: () => {
      timer = setInterval(() => void tell(), LOOK_EVERY_MS).unref();
    },
    stop: () => clearInterval(timer),
  };
}

/** What a change of is worth a line: not of a number, and overload has lines of its own. */
function wordsOf(readiness: Readiness): string {
  return [...readiness.notReady, ...readiness.degraded]
    .filter(({ subject }) => subject !== 'load')
    .map(({ text }) => text.replaceAll(/\d+/g, ''))
    .join();
}

function about(subject: ReadinessSubject, texts: readonly string[]): readonly ReadinessReason[] {
  return texts.map((text) => ({ subject, text }));
}

function degraded(text: string): Readiness {
  return { notReady: [], degraded: about('database', [text]) };
}
function notReady(text: string): Readiness {
  return { notReady: about('database', [text]), degraded: [] };
}
