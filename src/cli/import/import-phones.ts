import { type ImportedDevice, type ImportFate, MAX_IMPORT_PAGE } from '../../devices/import-devices.ts';
import { decodeAccountNumber } from '../../http/wire/fields/decode-account-number.ts';
import { decodeText } from '../../http/wire/fields/decode-char.ts';
import { decodeToken } from '../../http/wire/fields/decode-token.ts';
import { type KnownApp, keyOf } from './import-apps.ts';
import type { ImportTally } from './import-tally.ts';
import type { ReferenceDatabase, ReferenceRow } from './reference-database.ts';

/** Writes a page of devices, or tells what that would do. */
export type DeviceWriter = (devices: readonly ImportedDevice[]) => Promise<ReadonlyMap<number, ImportFate>>;

function optionalText(value: unknown): string | null {
  const decoded = decodeText(value);
  // Blank is as if not sent, as in a registration.
  return decoded.ok && decoded.value !== '' ? decoded.value : null;
}

/** Of a clock that was ahead nothing is known: what it says must not count against a registration here. */
function seenAt(microseconds: unknown, now: number): number {
  const seen = typeof microseconds === 'number' ? Math.floor(microseconds / 1_000) : 0;
  return seen >= 0 && seen <= now ? seen : 0;
}

function readPhone(
  row: ReferenceRow,
  apps: ReadonlyMap<number, KnownApp>,
  now: number,
): ImportedDevice | { readonly problem: string } {
  const account = decodeAccountNumber(row['sip_user_id']);
  if (!account.ok) return { problem: 'its sip_user_id is no account number' };
  const token = decodeToken(row['token']);
  if (!token.ok) return { problem: 'its token is no push token' };
  const app = apps.get(Number(row['app_id']));
  const appKey = keyOf(app);
  if (appKey === undefined) return { problem: `its app is not here: ${app?.label ?? 'an unknown one'}` };
  return {
    account: account.value,
    appKey,
    token: token.value,
    sandbox: Number(row['sandbox']) !== 0,
    name: optionalText(row['name']),
    osVersion: optionalText(row['os_version']),
    clientVersion: optionalText(row['client_version']),
    remoteLoggingId: optionalText(row['remote_logging_id']),
    seenAt: seenAt(row['last_seen'], now),
  };
}

function readPage(
  rows: readonly ReferenceRow[],
  apps: ReadonlyMap<number, KnownApp>,
  now: number,
  tally: ImportTally,
): readonly ImportedDevice[] {
  const phones = new Map<number, ImportedDevice>();
  for (const row of rows) {
    const phone = readPhone(row, apps, now);
    if ('problem' in phone) {
      tally.skip(phone.problem);
      continue;
    }
    const other = phones.get(phone.account);
    if (other !== undefined) tally.skip('another row of the same account was seen later');
    if (other === undefined || other.seenAt < phone.seenAt) phones.set(phone.account, phone);
  }
  return [...phones.values()];
}

function count(tally: ImportTally, fate: ImportFate): void {
  if (fate === 'newer-here') tally.skip('the account registered here since the reference last heard of it');
  else tally[fate] += 1;
}

/** Takes over the devices, a page at a time, never more in memory. `now` tells epoch ms. */
export async function importPhones(
  reference: Pick<ReferenceDatabase, 'devices'>,
  apps: ReadonlyMap<number, KnownApp>,
  write: DeviceWriter,
  now: () => number,
  tally: ImportTally,
): Promise<void> {
  for (let after: string | undefined; ; ) {
    const rows = await reference.devices(after);
    const last = rows.at(-1);
    if (last === undefined) return;
    const phones = readPage(rows, apps, now(), tally);
    for (let from = 0; from < phones.length; from += MAX_IMPORT_PAGE) {
      const fates = await write(phones.slice(from, from + MAX_IMPORT_PAGE));
      for (const fate of fates.values()) count(tally, fate);
    }
    after = String(last['sip_user_id']);
  }
}
