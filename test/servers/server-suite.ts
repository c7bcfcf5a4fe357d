import { after, before, describe } from 'node:test';
import { type DatabaseServer, startDatabaseServer } from '../../harness/database-server.ts';
import { type DatabaseKind, skipWithout } from '../../harness/find-server.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { appStoreContract } from '../apps/app-store-contract.ts';
import { credentialRotationContract } from '../apps/credential-rotation-contract.ts';
import { providerTokenContract } from '../apps/provider-token-contract.ts';
import { deviceStoreContract } from '../devices/device-store-contract.ts';
import type { StoreOpener } from '../storage/store-openers.ts';
import { blockedChanges } from './blocked-changes.ts';
import { migratingOnServer } from './migrating-on-server.ts';
import { openingOnServer } from './opening-on-server.ts';
import { outagesOfServer } from './outages-of-server.ts';
import { racingRegistrations } from './racing-registrations.ts';
import { readOnlyServer } from './read-only-server.ts';
import { refusingServer } from './refusing-server.ts';
import { restartsOfServer } from './restarts-of-server.ts';
import { tooFewConnections } from './too-few-connections.ts';
import { waitingForServer } from './waiting-for-server.ts';

/** Everything that a database server behind the service must do, on one real server of its own. */
export function serverSuite(kind: DatabaseKind): void {
  describe(kind, { skip: skipWithout(kind) }, () => {
    let started: DatabaseServer | undefined;
    const server = (): DatabaseServer => {
      if (started === undefined) throw new Error(`${kind} was not started`);
      return started;
    };
    before(async () => {
      started = await startDatabaseServer(kind);
    });
    after(() => started?.close());
    const opener: StoreOpener = {
      name: kind,
      open: async () => {
        // Time for a machine that is busy with other tests.
        const limits = { poolSize: 10, timeoutMs: 10_000 };
        const database = await openDatabase(await server().createDatabase(), limits);
        await migrate(database);
        return { database, close: () => database.close() };
      },
    };
    appStoreContract(opener);
    deviceStoreContract(opener);
    providerTokenContract(opener);
    credentialRotationContract(opener);
    racingRegistrations(server, kind);
    migratingOnServer(server);
    openingOnServer(server, kind);
    waitingForServer(server);
    refusingServer(server, kind);
    tooFewConnections(server, kind);
    readOnlyServer(server, kind);
    blockedChanges(server, kind);
    // Last: these stop and kill the server.
    outagesOfServer(server);
    restartsOfServer(server);
  });
}
