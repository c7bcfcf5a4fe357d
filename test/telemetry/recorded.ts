import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { LogLevel } from '../../src/telemetry/log.ts';
import type { LogFields } from '../../src/telemetry/redaction.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { idleTelemetry } from '../helpers/idle-telemetry.ts';
import { parseSeries } from '../helpers/parse-series.ts';

/** A line of the log before its redaction; `error` where it has a stack. */
export type Line = readonly [level: LogLevel, message: string, fields: LogFields, error?: unknown];

/** By how much series have moved, without `vialer_middleware_` before their names. */
export type Moves = Readonly<Record<string, number>>;

/** Telemetry whose lines and series can be looked at. */
export interface Recorded {
  readonly telemetry: Telemetry;
  /** The lines since it was asked last. */
  lines(): readonly Line[];
  /** The series that have moved since it was asked last; without what processes and buckets do. */
  moves(): Promise<Moves>;
  /** Series that were not there when it was made. */
  begun(): Promise<readonly string[]>;
}

/** An iPhone's and an Android phone's app, both known to the telemetry of a test. */
export const APP = 'com.example.phone';
/** The push service that it knows. */
export const ORIGIN = 'https://push.example.org';

export async function recordedTelemetry(
  t: Pick<TestContext, 'after'>,
  { level = 'debug' }: { readonly level?: LogLevel } = {},
): Promise<Recorded> {
  let lines: Line[] = [];
  const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
  const telemetry = idleTelemetry({
    openLog: () => ({
      isOn: (each) => levels.indexOf(each) >= levels.indexOf(level),
      write: (...line) => void lines.push(line),
      writeError: (message, error, fields) => void lines.push(['error', message, fields, error]),
      flush: () => {},
    }),
    usesRedis: true,
  });
  t.after(() => telemetry.close());
  telemetry.appsKnown(
    (['apns', 'android'] as const).map((platform) => ({ appId: APP, platform, expiresAt: undefined })),
  );
  const read = async (): Promise<Map<string, number>> => {
    const all = parseSeries(await telemetry.readMetrics());
    const ours = all.filter(({ name }) => !/^(process|nodejs)_|_bucket$/.test(name));
    return new Map(ours.map(({ text, value }) => [text.replace(/^vialer_middleware_/, ''), value]));
  };
  const first = await read();
  let before = first;
  return {
    telemetry,
    lines: () => {
      const written = lines.map(([each, message, fields, ...error]): Line => {
        const said = Object.entries(fields).filter(([, value]) => value !== undefined);
        return [each, message, Object.fromEntries(said), ...error];
      });
      lines = [];
      return written;
    },
    moves: async () => {
      const now = await read();
      const moved = [...now].flatMap(([text, value]) => {
        const by = value - (before.get(text) ?? 0);
        return by === 0 ? [] : [[text, Math.round(by * 1_000) / 1_000] as const];
      });
      before = now;
      return Object.fromEntries(moved);
    },
    begun: async () => [...(await read()).keys()].filter((text) => !first.has(text)),
  };
}

/** An event, and what it writes and moves. */
export interface EventRow {
  readonly name: string;
  readonly happens: (telemetry: Telemetry) => void;
  readonly lines: readonly Line[];
  readonly moves: Moves;
  /** It moves series that are not shown before, for want of a closed set. */
  readonly begins?: true;
}

/** A test for each row: these lines and no others, these series and no others, each of which was 0 before. */
export function testEvents(what: string, rows: readonly EventRow[]): void {
  describe(what, () => {
    for (const { name, happens, lines, moves, begins } of rows) {
      it(name, async (t) => {
        t.mock.method(performance, 'now', () => NOW);
        const recorded = await recordedTelemetry(t);
        happens(recorded.telemetry);
        assert.deepEqual(recorded.lines(), lines);
        assert.deepEqual(await recorded.moves(), moves);
        if (begins === undefined) assert.deepEqual(await recorded.begun(), []);
      });
    }
  });
}

/** What `performance.now()` says in the tests of rows. */
export const NOW = 100_000;

/** A series with these labels. */
export function series(name: string, labels: Readonly<Record<string, string>>): string {
  return `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;
}
