import { now, sleepUntil } from '../lib/clock.ts';
import { type HelperProcess, startHelper } from '../lib/helper-process.ts';
import type { Tools } from '../lib/tools.ts';
import type { PbxProcess } from '../load/pbx-process.ts';
import type { Subject } from '../subjects/subject.ts';

/** Calls that wait and are not answered. */
export interface HeldCalls {
  /** Asks for more until so many wait; resolves when all have been pushed. */
  fillTo(count: number): Promise<void>;
  /** How many PBX connections wait now. */
  waiting(): Promise<number>;
  /** The PBXs hang up; resolves when no call waits any more. */
  release(): Promise<void>;
}

/** Asked at once, and then waited for: what fills must not make the subject turn calls away. */
const STEP = 250;
/** How long the last pushes of a step may take. */
const PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 20;

/** Makes PBXs of their own for calls that wait: a process may have 20,000 connections. */
export const holdCalls = async (tools: Tools, subject: Subject): Promise<HeldCalls> => {
  const pbxs: HelperProcess<PbxProcess> = await startHelper<PbxProcess>(
    new URL('../load/pbx-process.ts', import.meta.url),
  );
  const batches: number[] = [];
  let held = 0;

  const add = async (count: number): Promise<void> => {
    const firstCall = tools.takeCalls(count);
    const common = { run: tools.run, firstCall, origins: subject.origins, freshShare: 0, seed: 1 };
    await tools.phones.ask('begin', { ...common, calls: count, wakeMs: undefined });
    batches.push(firstCall);
    const due = new Float64Array(count).fill(now());
    await pbxs.ask('ask', {
      ...common,
      due,
      accounts: tools.accounts,
      held: true,
      patienceMs: Number.POSITIVE_INFINITY,
    });
    held += count;
    const giveUpAt = now() + PATIENCE_MS;
    while (subject.pushes && (await tools.phones.ask('pushed', firstCall)) < count) {
      if (now() > giveUpAt) throw new Error(`${subject.name}: of ${count} calls not all were pushed`);
      await sleepUntil(now() + LOOK_EVERY_MS);
    }
  };

  return {
    fillTo: async (count) => {
      while (held < count) await add(Math.min(STEP, count - held));
    },
    waiting: () => pbxs.ask('holding', undefined),
    release: async () => {
      await pbxs.close();
      await subject.settle();
      for (const firstCall of batches) await tools.phones.ask('end', firstCall);
    },
  };
};
