import type { InferResult, Kysely, Transaction } from 'kysely';
import type { Database } from '../storage/database.ts';
import { storageCall, transact } from '../storage/storage-call.ts';
import type { Tables } from '../storage/tables.ts';

/**
 * Most devices that `importDevices` takes at once. Their rows are locked until the last one is written, and a phone that
 * registers meanwhile waits, at most as long as `DATABASE_TIMEOUT`.
 */
export const MAX_IMPORT_PAGE = 100;

/** A device as another service knows it. */
export interface ImportedDevice {
  readonly account: number;
  readonly appKey: number;
  readonly token: string;
  readonly sandbox: boolean;
  readonly name: string | null;
  readonly osVersion: string | null;
  readonly clientVersion: string | null;
  readonly remoteLoggingId: string | null;
  /** When the other service last heard of it, epoch ms; 0 where it does not know. */
  readonly seenAt: number;
}

/** What became, or would become, of an imported device; `newer-here`: the account registered here after `seenAt`. */
export type ImportFate = 'added' | 'updated' | 'unchanged' | 'newer-here';

const COLUMNS = [
  'account',
  'app_key',
  'token',
  'sandbox',
  'name',
  'os_version',
  'client_version',
  'remote_logging_id',
  'registered_at',
  'last_seen_at',
] as const;

function rowsOf(kysely: Kysely<Tables>, accounts: readonly number[]) {
  return kysely.selectFrom('devices').select(COLUMNS).where('account', 'in', accounts).orderBy('account');
}

type KnownRow = InferResult<ReturnType<typeof rowsOf>>[number];

function saidBy(device: ImportedDevice) {
  return {
    app_key: device.appKey,
    token: device.token,
    name: device.name,
    os_version: device.osVersion,
    client_version: device.clientVersion,
    remote_logging_id: device.remoteLoggingId,
    registered_at: device.seenAt,
  };
}

function fateOf(known: KnownRow | undefined, device: ImportedDevice): ImportFate {
  if (known === undefined) return 'added';
  if (known.registered_at > device.seenAt) return 'newer-here';
  const said = saidBy(device);
  const isSame =
    known.app_key === said.app_key &&
    known.token === said.token &&
    known.name === said.name &&
    known.os_version === said.os_version &&
    known.client_version === said.client_version &&
    known.remote_logging_id === said.remote_logging_id &&
    known.registered_at === said.registered_at;
  return isSame ? 'unchanged' : 'updated';
}

async function insertAll(transaction: Transaction<Tables>, devices: readonly ImportedDevice[]) {
  if (devices.length === 0) return;
  const rows = devices.map((device) => ({
    account: device.account,
    ...saidBy(device),
    sandbox: Number(device.sandbox),
    last_seen_at: device.seenAt,
  }));
  await transaction.insertInto('devices').values(rows).execute();
}

async function update(transaction: Transaction<Tables>, device: ImportedDevice, known: KnownRow) {
  // What only this service knows of a phone holds for its token: Apple's environment, the profile of its pushes.
  const ofAnother =
    known.token === device.token
      ? {}
      : { sandbox: Number(device.sandbox), push_profile: null, remote_notification_token: null };
  await transaction
    .updateTable('devices')
    .set({
      ...saidBy(device),
      ...ofAnother,
      last_seen_at: Math.max(known.last_seen_at, device.seenAt),
    })
    .where('account', '=', device.account)
    .execute();
}

/**
 * Takes over devices of another service, at most `MAX_IMPORT_PAGE` of different accounts, in one transaction, or only
 * tells what that would do. An account that registered here after the other service last heard of it is left alone.
 * Rejects with `StorageUnavailable`, and then nothing of the page is taken over.
 */
export async function importDevices(
  database: Database,
  devices: readonly ImportedDevice[],
  { apply }: { readonly apply: boolean },
): Promise<ReadonlyMap<number, ImportFate>> {
  if (devices.length > MAX_IMPORT_PAGE)
    throw new RangeError(`at most ${MAX_IMPORT_PAGE} devices are imported at once`);
  if (devices.length === 0) return new Map();
  const accounts = devices.map(({ account }) => account);
  const compare = (rows: readonly KnownRow[]) => {
    const known = new Map(rows.map((row) => [row.account, row]));
    return devices.map((device) => {
      const row = known.get(device.account);
      return { device, row, fate: fateOf(row, device) };
    });
  };
  if (!apply) {
    const rows = await storageCall(database, () => rowsOf(database.kysely, accounts).execute());
    return new Map(compare(rows).map(({ device, fate }) => [device.account, fate]));
  }
  return transact(database, async (transaction) => {
    const query = rowsOf(transaction, accounts);
    const compared = compare(await (database.dialect.rowLocks ? query.forUpdate() : query).execute());
    await insertAll(
      transaction,
      compared.filter(({ fate }) => fate === 'added').map(({ device }) => device),
    );
    for (const { device, row, fate } of compared) {
      if (fate === 'updated' && row !== undefined) await update(transaction, device, row);
    }
    return new Map(compared.map(({ device, fate }) => [device.account, fate]));
  });
}
