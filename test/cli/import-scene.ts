import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, type TestContext } from 'node:test';
import { type DatabaseServer, startDatabaseServer } from '../../harness/database-server.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { makeCertificate } from '../apps/make-certificate.ts';
import { createReferenceDatabase, type ReferenceDatabase } from '../helpers/reference-database.ts';
import { type Cli, type CliRun, createCli } from './cli-fixture.ts';

/** A year in milliseconds. */
export const YEAR_MS = 365 * 86_400_000;
/** The iOS app of the reference, number 1. */
export const IOS = 'com.example.ios';
/** The Android app of the reference, number 2. */
export const ANDROID = 'com.example.android';
/** When the reference last saw a phone. */
export const SEEN = '2019-01-02 03:04:05.678901';
/** The same moment in milliseconds since the epoch. */
export const SEEN_AT = Date.UTC(2019, 0, 2, 3, 4, 5, 678);

/** A certificate of the iOS app with its key, valid for so long from now. */
export function certificate(validMs: number): string {
  const { certPem, keyPem } = makeCertificate({
    subject: { cn: `VoIP Services: ${IOS}`, uid: IOS },
    notBefore: new Date(Date.now() - YEAR_MS),
    notAfter: new Date(Date.now() + validMs),
    topics: [IOS, `${IOS}.voip`],
  });
  return certPem + keyPem;
}

/** The import with the certificates of `certDir`, the command line around it, and the devices that are here. */
export interface ImportScene {
  readonly cli: Cli;
  readonly certDir: string;
  /** Runs the import; fails when it tells something secret. */
  run(...args: readonly string[]): Promise<CliRun>;
  withHere<T>(work: (store: ReturnType<typeof createDeviceStore>) => Promise<T>): Promise<T>;
}

function withHere(cli: Cli): ImportScene['withHere'] {
  return async (work) => {
    const database = await openDatabase(cli.databaseUrl);
    try {
      return await work(createDeviceStore(database));
    } finally {
      await database.close();
    }
  };
}

/** The numbers of a table's line: read, added, updated, unchanged, skipped. */
export function lineOf({ stdout }: CliRun, table: string): readonly number[] {
  const line = stdout.split('\n').find((one) => one.startsWith(`${table} `)) ?? '';
  return line.split(/ +/).slice(1).map(Number);
}

/** For each test of a suite a new database of the reference, with two apps, on one MariaDB server. */
export function importSuite() {
  let server: DatabaseServer | undefined;
  let reference: ReferenceDatabase | undefined;
  const theServer = (): DatabaseServer => server ?? assert.fail('not started');
  const theReference = (): ReferenceDatabase => reference ?? assert.fail('not made');
  before(async () => {
    server = await startDatabaseServer('MariaDB');
  });
  after(async () => {
    await reference?.close();
    await server?.close();
  });
  beforeEach(async () => {
    await reference?.close();
    reference = await createReferenceDatabase(await theServer().createDatabase());
    await reference.run('insert into app_app values (1, "apns", ?, "voip.pem", "", null)', [IOS]);
    await reference.run('insert into app_app values (2, "android", ?, "AIza-legacy-key", "", "")', [ANDROID]);
  });
  return {
    server: theServer,
    reference: theReference,
    openScene: async (t: Pick<TestContext, 'after'>): Promise<ImportScene> => {
      const cli = await createCli(t);
      const certDir = join(cli.folder, 'local');
      await mkdir(certDir);
      await writeFile(join(certDir, 'voip.pem'), certificate(YEAR_MS));
      return {
        cli,
        certDir,
        run: async (...args) => {
          if (args.includes('--apply')) await cli.migrate();
          const ended = await cli.run(['import-reference', '--cert-dir', certDir, ...args], {
            REFERENCE_DATABASE_URL: theReference().url,
          });
          assert.doesNotMatch(
            ended.all,
            /pass%2Fword|token-of|AIza|\b[1-9]\d{8}\b/,
            'nothing secret is told',
          );
          return ended;
        },
        withHere: withHere(cli),
      };
    },
  };
}
