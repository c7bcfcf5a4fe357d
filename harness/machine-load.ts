import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** How much of the machine others used since it was made, 0 to 1. */
export type OthersShare = () => number;

const TICKS_PER_SECOND = 100;
/** Columns of proc(5), /proc/PID/stat, counted behind the name of the program. */
const PARENT = 1;
const GROUP = 2;
const TIMES = [11, 12, 13, 14] as const;

interface Ticks {
  readonly all: number;
  readonly ours: number;
}

function statOf(pid: string): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It ended since the list was made.
    return [];
  }
}

/** Servers put the processes that they start into groups of their own: those are found by their parents. */
function isOurs(
  stat: readonly string[],
  all: ReadonlyMap<string, readonly string[]>,
  group: string,
): boolean {
  for (
    let next: readonly string[] | undefined = stat;
    next !== undefined;
    next = all.get(next[PARENT] ?? '')
  ) {
    if (next[GROUP] === group) return true;
  }
  return false;
}

function read(): Ticks {
  const [cpu = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = cpu.split(/\s+/).slice(1).map(Number);
  const group = statOf('self')[GROUP] ?? '';
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const all = new Map(pids.map((pid) => [pid, statOf(pid)]));
  let ours = 0;
  for (const stat of all.values()) {
    if (!isOurs(stat, all, group)) continue;
    for (const column of TIMES) ours += Number(stat[column] ?? 0);
  }
  return { all: user + nice + system + irq + softIrq, ours };
}

/**
 * Watches the processors from now on. Time of processes outside this process group, and not started from it, is others'. 0 if
 * the system is no Linux.
 */
export function watchMachine(): OthersShare {
  try {
    const before = read();
    const since = performance.now();
    return () => {
      const now = read();
      const possible = ((performance.now() - since) / 1_000) * TICKS_PER_SECOND * availableParallelism();
      return Math.max(0, now.all - before.all - (now.ours - before.ours)) / possible;
    };
  } catch {
    return () => 0;
  }
}
