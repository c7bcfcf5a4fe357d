import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startWorld, type World, type WorldOptions } from '../../src/sandbox/world.ts';
import { type Cli, createCli } from './cli-fixture.ts';

/** The app of both platforms. */
export const APP = 'com.example.phone';

/** The command line with its two apps, in a world of stand-ins. */
export interface CliInWorld extends Cli {
  readonly world: World;
  /** The settings with which a command finds the world; already there in `run`. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Starts a world, and adds an app of each platform by the command line itself. */
export async function createCliInWorld(
  t: Pick<TestContext, 'after'>,
  options: WorldOptions = {},
): Promise<CliInWorld> {
  const cli = await createCli(t);
  const world = await startWorld(options);
  t.after(() => world.close());
  const settings = {
    NODE_EXTRA_CA_CERTS: await cli.file('ca.pem', world.ca.certificate),
    APNS_URL: world.settings.APNS_URL,
    APNS_SANDBOX_URL: world.settings.APNS_SANDBOX_URL,
    FCM_URL: world.settings.FCM_URL,
  };
  const run: Cli['run'] = (args, more = {}) => cli.run(args, { ...settings, ...more });
  const { keyId, teamId, privateKey } = world.teamKey;
  const key = await cli.file('AuthKey.p8', privateKey);
  const account = await cli.file('account.json', world.serviceAccount);
  const ids = ['--apns-key-id', keyId, '--apns-team-id', teamId];
  const added = [
    await run(['apps', 'add', '--platform', 'apns', '--app-id', APP, '--apns-key', key, ...ids]),
    await run(['apps', 'add', '--platform', 'android', '--app-id', APP, '--fcm-service-account', account]),
  ];
  assert.deepEqual(
    added.map(({ code }) => code),
    [0, 0],
  );
  return { ...cli, run, world, settings };
}
