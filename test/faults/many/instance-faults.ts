import type { FaultCase, Impact, Scene } from './fault-case.ts';
import { WAIT_MS } from './fleet.ts';
import { pause } from './pause.ts';

const MEASURED = 'vialer_middleware_push_answer_seconds';

/** Every instance in turn: told to stop, gone, started again. */
async function restartInTurn({ fleet }: Scene): Promise<Impact> {
  const problems: string[] = [];
  for (const instance of fleet.instances) {
    const code = await instance.stop();
    if (code !== 0) problems.push(`instance ${instance.name} ended with ${code}: ${instance.output()}`);
    await instance.start();
  }
  return { check: () => problems };
}

/** One instance is gone at once, for two seconds. */
async function killOne({ fleet }: Scene): Promise<Impact> {
  const [first] = fleet.instances;
  if (first === undefined) throw new RangeError('there are no instances');
  await first.kill();
  await pause(2_000);
  await first.start();
  return {};
}

/** The phones' clocks go wrong by up to six hours, either way; what they echo is a time that the service sent. */
async function shiftClocks({ phones, fleet }: Scene): Promise<Impact> {
  phones.shiftClocks(6);
  await pause(5_000);
  const problems: string[] = [];
  for (const instance of fleet.instances) {
    const metrics = await instance.metrics();
    const { seconds, count } = {
      seconds: metrics.sum(`${MEASURED}_sum`),
      count: metrics.sum(`${MEASURED}_count`),
    };
    if (count === 0 || Math.abs(seconds / count) > WAIT_MS / 1000)
      problems.push(`instance ${instance.name} measured ${seconds} s in ${count} answers`);
  }
  return { check: () => problems };
}

/** What can happen to the instances and to those who answer them. */
export const INSTANCE_FAULTS: readonly FaultCase[] = [
  { name: 'instance killed', instances: 3, database: 'PostgreSQL', bus: 'Redis', strike: killOne },
  { name: 'rolling restart', instances: 2, database: 'PostgreSQL', bus: 'Redis', strike: restartInTurn },
  { name: "phones' clocks jump", instances: 2, database: 'PostgreSQL', bus: 'Redis', strike: shiftClocks },
];
