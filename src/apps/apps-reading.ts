import type { App } from './app.ts';
import type { ReadApp } from './app-row.ts';
import type { CredentialUnreadable } from './credential-unreadable.ts';

/** An app of which only the credential cannot be read. */
export interface UnreadableApp {
  readonly key: number;
  readonly error: CredentialUnreadable;
}

/** Every app that the database has, in its order. */
export interface AppsReading {
  readonly apps: readonly App[];
  readonly unreadable: readonly UnreadableApp[];
  /** How many of `apps` have their credential stored as it is. */
  readonly unencrypted: number;
}

/** The rows sorted into what can be used and what cannot. */
export function appsReading(rows: readonly ReadApp[]): AppsReading {
  return {
    apps: rows.flatMap((row) => (row.kind === 'app' ? [row.app] : [])),
    unreadable: rows.flatMap((row) => (row.kind === 'unreadable' ? [row] : [])),
    unencrypted: rows.filter((row) => row.kind === 'app' && row.keyId === undefined).length,
  };
}
