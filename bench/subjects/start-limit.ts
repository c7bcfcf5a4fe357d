import { nodeFlags } from '../../harness/start-command.ts';
import { startHelper } from '../lib/helper-process.ts';
import type { LimitProcess } from '../limit/limit-process.ts';
import type { PhoneWorld } from '../phones/phones-process.ts';
import type { Subject } from './subject.ts';

/** Starts the bare server that everything is a ratio to; `node` gets the flags that it gets for the service. */
export async function startLimit(world: PhoneWorld, execArgv: readonly string[] = []): Promise<Subject> {
  const limit = await startHelper<LimitProcess>(new URL('../limit/limit-process.ts', import.meta.url), {
    execArgv: [...nodeFlags(), ...execArgv],
  });
  const { APNS_URL: apple = '', FCM_URL: google = '' } = world.settings;
  const url = await limit.ask('start', { apple, google, ca: world.ca });
  return {
    name: 'limit',
    origins: [url],
    pids: [limit.pid],
    pushes: true,
    settle: async () => void (await limit.ask('forget', undefined)),
    close: () => limit.close(),
  };
}
