import { until } from '../../helpers/until.ts';
import { type Fleet, POOL_SIZE } from './fleet.ts';
import type { Holdings } from './holdings.ts';
import type { Instance } from './instance.ts';
import { openFilesOf } from './open-sockets.ts';

/** Of `nodejs_active_resources`: what a lost connection could leave behind. */
const RESOURCES = ['Timeout', 'TCPSocketWrap', 'TLSWrap', 'ConnectWrap', 'GetAddrInfoReqWrap'] as const;

/** Counts what an instance holds: its sockets by whom they lead to, other files, timers, and calls that wait. */
export const holdingsOf = async (fleet: Fleet, instance: Instance): Promise<Holdings> => {
  const metrics = await instance.metrics();
  const { sockets, others } = openFilesOf(instance.pid());
  const held: Record<string, number> = {
    'calls waiting': metrics.value('vialer_middleware_calls_waiting'),
    'other files': others,
  };
  for (const { local, remote } of sockets) {
    const kind = remote === 0 ? 'listeners' : fleet.peerName(instance, local, remote);
    held[`sockets: ${kind}`] = (held[`sockets: ${kind}`] ?? 0) + 1;
  }
  const resources = metrics.by('nodejs_active_resources', 'type');
  for (const name of RESOURCES) held[`resources: ${name}`] = resources.get(name) ?? 0;
  return held;
};

const POOLED = 'sockets: database';

/** The pool opens connections as they are needed and keeps them, up to its size; each has a socket and a timer. */
const grownPool = (base: Holdings, now: Holdings): Holdings => {
  const more = Math.max(0, Math.min(now[POOLED] ?? 0, POOL_SIZE) - (base[POOLED] ?? 0));
  return { [POOLED]: more, 'resources: TCPSocketWrap': more, 'resources: Timeout': more };
};

/** What one instance holds beyond `base` and what it may keep, in words. */
const beyond = (base: Holdings, now: Holdings, mayKeep: Holdings): readonly string[] => {
  const grown = grownPool(base, now);
  return Object.entries(now).flatMap(([kind, count]) => {
    const limit = (base[kind] ?? 0) + (grown[kind] ?? 0) + (mayKeep[kind] ?? 0);
    return count > limit ? [`${kind}: ${count}, at most ${limit} expected`] : [];
  });
};

/** Waits until each instance that runs holds no more than it did; what it still holds after 20 s, in words. */
export const leftoversOf = async (
  fleet: Fleet,
  base: ReadonlyMap<Instance, Holdings>,
  mayKeep: Holdings,
): Promise<readonly string[]> => {
  let left: string[] = [];
  const look = async (): Promise<boolean> => {
    left = [];
    for (const instance of fleet.instances.filter((candidate) => candidate.runs())) {
      const more = beyond(base.get(instance) ?? {}, await holdingsOf(fleet, instance), mayKeep);
      left.push(...more.map((text) => `instance ${instance.name} still holds ${text}`));
    }
    return left.length === 0;
  };
  await until(look, 'nothing is left').catch(() => {});
  return left;
};
