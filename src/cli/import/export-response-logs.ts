import { PLATFORMS } from '../../apps/platform.ts';
import type { ImportTally } from './import-tally.ts';
import type { ReferenceDatabase, ReferenceRow } from './reference-database.ts';
import type { ResponseLogFile } from './response-log-file.ts';

const lineOf = (row: ReferenceRow): string | undefined => {
  const { id, date, platform, roundtrip_time: seconds, available } = row;
  if (typeof date !== 'number' || typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined;
  if (!PLATFORMS.some((known) => known === platform)) return undefined;
  return JSON.stringify({
    id,
    date: new Date(date / 1_000).toISOString(),
    platform,
    roundtrip_seconds: seconds,
    available: Number(available) !== 0,
  });
};

/** Writes the response logs that the file does not have yet, a page at a time. */
export const exportResponseLogs = async (
  reference: Pick<ReferenceDatabase, 'responseLogs'>,
  file: Pick<ResponseLogFile, 'lastId' | 'append'>,
  tally: ImportTally,
): Promise<void> => {
  for (let after = file.lastId; ; ) {
    const rows = await reference.responseLogs(after);
    const last = rows.at(-1);
    if (last === undefined) return;
    const lines = rows.map(lineOf).filter((line) => line !== undefined);
    await file.append(lines);
    tally.added += lines.length;
    if (lines.length < rows.length) tally.skip('damaged', rows.length - lines.length);
    after = Number(last['id']);
  }
};
