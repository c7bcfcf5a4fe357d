import { until } from '../../../harness/until.ts';
import { type Fleet, POOL_SIZE } from './fleet.ts';
import type { Holdings } from './holdings.ts';
import type { Instance } from './instance.ts';
import { openFilesOf } from './open-sockets.ts';

/** Of `nodejs_active_resources`: what a lost connection could leave behind. */
const RESOURCES = ['Timeout', 'TCPSocketWrap', 'TLSWrap', 'ConnectWrap', 'GetAddrInfoReqWrap'] as const;

/** Counts what an instance holds: its sockets by whom they lead to, other files, timers, and calls that wait. */
export async function holdingsOf(fleet: Fleet, instance: Instance): Promise<Holdings> {
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
}

const POOLED = 'sockets: database';
/** Opened while pushes wait for a stream, and closed within a minute once they are not needed. */
const PUSH_CONNECTIONS = ['sockets: Apple', "sockets: Apple's sandbox", 'sockets: Google'] as const;
const MOST_PUSH_CONNECTIONS = 8;

function more(base: Holdings, now: Holdings, kind: string, most: number): number {
  return Math.max(0, Math.min(now[kind] ?? 0, most) - (base[kind] ?? 0));
}

/** Connections are opened as they are needed and kept, up to a number. Each of the database's has a timer. */
function grownPools(base: Holdings, now: Holdings): Holdings {
  const pooled = more(base, now, POOLED, POOL_SIZE);
  const grown: Record<string, number> = { [POOLED]: pooled };
  for (const kind of PUSH_CONNECTIONS) grown[kind] = more(base, now, kind, MOST_PUSH_CONNECTIONS);
  const sockets = Object.values(grown).reduce((sum, count) => sum + count, 0);
  return { ...grown, 'resources: TCPSocketWrap': sockets, 'resources: Timeout': pooled };
}

/** What one instance holds beyond `base` and what it may keep, in words. */
function beyond(base: Holdings, now: Holdings, mayKeep: Holdings): readonly string[] {
  const grown = grownPools(base, now);
  return Object.entries(now).flatMap(([kind, count]) => {
    const limit = (base[kind] ?? 0) + (grown[kind] ?? 0) + (mayKeep[kind] ?? 0);
    return count > limit ? [`${kind}: ${count}, at most ${limit} expected`] : [];
  });
}

/** Waits until each instance that runs holds no more than it did; what it still holds after 20 s, in words. */
export async function leftoversOf(
  fleet: Fleet,
  base: ReadonlyMap<Instance, Holdings>,
  mayKeep: Holdings,
): Promise<readonly string[]> {
  let left: string[] = [];
  const look = async (): Promise<boolean> => {
    left = [];
    for (const instance of fleet.instances.filter((candidate) => candidate.runs())) {
      const found = beyond(base.get(instance) ?? {}, await holdingsOf(fleet, instance), mayKeep);
      left.push(...found.map((text) => `instance ${instance.name} still holds ${text}`));
    }
    return left.length === 0;
  };
  await until(look, 'nothing is left').catch(() => {});
  return left;
}
