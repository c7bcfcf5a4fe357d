import type { Generated } from 'kysely';

/** Row of `apps`: an app whose phones may be woken. */
interface AppRow {
  /** Never used again after its row is removed. */
  readonly id: Generated<number>;
  readonly platform: string;
  readonly app_id: string;
  /** Text that only the owner of the table can read: it may be encrypted. */
  readonly credential: string;
  readonly revision: number;
  /** Milliseconds since the epoch, as every `_at` column. */
  readonly created_at: number;
  readonly updated_at: number;
}

/** Row of `app_changes`: the only one has id 1 and counts every change of any app. */
interface AppChangesRow {
  readonly id: number;
  readonly revision: number;
}

/** Row of `devices`: the one phone of an account. Truth values are 0 and 1, which every database has. */
interface DeviceRow {
  readonly account: number;
  readonly app_key: number;
  readonly token: string;
  readonly sandbox: number | null;
  readonly name: string | null;
  readonly os_version: string | null;
  readonly client_version: string | null;
  readonly remote_logging_id: string | null;
  readonly push_profile: string | null;
  readonly remote_notification_token: string | null;
  readonly registered_at: number;
  readonly last_seen_at: number;
}

/** Row of `provider_tokens`: the token that was last made of an Apple key, for every process that has the key. */
interface ProviderTokenRow {
  readonly credential_id: string;
  readonly jwt: string;
  readonly minted_at: number;
}

/** Every table, as Kysely sees it; integers are JavaScript numbers under every database. */
export interface Tables {
  readonly apps: AppRow;
  readonly app_changes: AppChangesRow;
  readonly devices: DeviceRow;
  readonly provider_tokens: ProviderTokenRow;
}
