import { now, sleepUntil } from '../lib/clock.ts';
import { type HelperProcess, startHelper } from '../lib/helper-process.ts';
import type { Tools } from '../lib/tools.ts';
import type { PbxProcess } from '../load/pbx-process.ts';
import type { Subject } from '../subjects/subject.ts';

/** Calls that wait and are not answered. */
export interface HeldCalls {
  /** Asks for more until so many wait; resolves when all have been pushed. */
  fillTo(count: number): Promise<void>;
  /** PBXs hang up what `fillTo` brought beyond so many; resolves when they are gone. */
  releaseTo(count: number): Promise<void>;
}

/** PBXs of one `fillTo`, which hang up together. */
interface Group {
  readonly pbxs: HelperProcess<PbxProcess>;
  readonly batches: number[];
  readonly from: number;
  to: number;
}

/** Asked at once, and then waited for: what fills must not make the subject turn calls away. */
const STEP = 400;
/** How long the last pushes of a step may take. */
const PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 10;
/** Where no push tells that a call has come to wait. */
const BLIND_PAUSE_MS = 300;

/** Makes PBXs of their own for calls that wait: a process may have 20,000 connections. */
export function holdCalls(tools: Tools, subject: Subject): HeldCalls {
  const groups: Group[] = [];

  const add = async (group: Group, count: number): Promise<void> => {
    const firstCall = tools.takeCalls(count);
    const common = { run: tools.run, firstCall, origins: subject.origins, freshShare: 0, seed: 1 };
    await tools.phones.ask('begin', { ...common, calls: count, wakeMs: undefined });
    group.batches.push(firstCall);
    const due = new Float64Array(count).fill(now());
    const patienceMs = Number.POSITIVE_INFINITY;
    await group.pbxs.ask('ask', { ...common, due, accounts: tools.accounts, held: true, patienceMs });
    group.to += count;
    if (!subject.pushes) return sleepUntil(now() + BLIND_PAUSE_MS);
    const giveUpAt = now() + PATIENCE_MS;
    while ((await tools.phones.ask('pushed', firstCall)) < count) {
      if (now() > giveUpAt) throw new Error(`${subject.name}: of ${count} calls not all were pushed`);
      await sleepUntil(now() + LOOK_EVERY_MS);
    }
  };

  const release = async ({ pbxs, batches, from, to }: Group): Promise<void> => {
    const holding = await pbxs.ask('holding', undefined);
    await pbxs.close();
    for (const firstCall of batches) await tools.phones.ask('end', firstCall);
    if (holding < to - from)
      throw new Error(
        `${subject.name}: ${to - from - holding} of ${to - from} calls no longer waited when they were looked for; a machine that is too busy takes longer than their 60 s`,
      );
  };

  return {
    fillTo: async (count) => {
      const from = groups.at(-1)?.to ?? 0;
      if (from >= count) return;
      const pbxs = await startHelper<PbxProcess>(new URL('../load/pbx-process.ts', import.meta.url));
      const group: Group = { pbxs, batches: [], from, to: from };
      groups.push(group);
      while (group.to < count) await add(group, Math.min(STEP, count - group.to));
    },
    releaseTo: async (count) => {
      for (let last = groups.at(-1); last !== undefined && last.to > count; last = groups.at(-1)) {
        groups.pop();
        await release(last);
      }
      await subject.settle(groups.at(-1)?.to ?? 0);
    },
  };
}
