import { now } from '../lib/clock.ts';
import { answerParent } from '../lib/helper-process.ts';
import { accountOf, callIdOf, followSchedule } from '../load/calls.ts';
import type { PhoneWorld } from '../phones/phones-process.ts';
import type { PushCall } from './push-call.ts';
import { createRawSender } from './raw-sender.ts';
import { createServiceSender } from './service-sender.ts';

/** Pushes to be made. */
export interface PushPlan {
  readonly run: string;
  readonly firstCall: number;
  readonly accounts: number;
}

let push: PushCall | undefined;

async function pushOne(plan: PushPlan, index: number): Promise<void> {
  const call = plan.firstCall + index;
  await push?.({ account: accountOf(call, plan.accounts), uniqueKey: callIdOf(plan.run, call) });
}

/** What this process can be asked. */
const methods = {
  start: async (options: { readonly sender: 'service' | 'raw'; readonly world: PhoneWorld }) => {
    push = await (options.sender === 'raw' ? createRawSender : createServiceSender)(options.world);
  },
  /** Each at its moment of `now`; resolves when all were taken. */
  follow: async (plan: PushPlan & { readonly due: Float64Array }) => {
    const pushes: Promise<void>[] = [];
    await followSchedule(plan.due, (index) => pushes.push(pushOne(plan, index)) > 0);
    await Promise.all(pushes);
  },
  /** As many as go, `atOnce` in flight, until that moment of `now`; returns how many. */
  flood: async (plan: PushPlan & { readonly atOnce: number; readonly until: number }) => {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (now() < plan.until) {
        next += 1;
        await pushOne(plan, next);
      }
    };
    await Promise.all(Array.from({ length: plan.atOnce }, lane));
    return next;
  },
};

/** A sender of pushes, and nothing else. */
export type PushProcess = typeof methods;

answerParent(methods);
