import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** How much of the machine others used since it was made, 0 to 1. */
export type OthersShare = () => number;

const TICKS_PER_SECOND = 100;
/** Columns of proc(5), /proc/PID/stat, counted behind the name of the program. */
const GROUP = 2;
const TIMES = [11, 12, 13, 14] as const;

interface Ticks {
  readonly all: number;
  readonly ours: number;
}

const statOf = (pid: string): readonly string[] => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It ended since the list was made.
    return [];
  }
};

const read = (): Ticks => {
  const [cpu = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = cpu.split(/\s+/).slice(1).map(Number);
  const group = statOf('self')[GROUP];
  let ours = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = statOf(pid);
    if (stat[GROUP] !== group) continue;
    for (const column of TIMES) ours += Number(stat[column] ?? 0);
  }
  return { all: user + nice + system + irq + softIrq, ours };
};

/**
 * Watches the processors from now on. The time of processes that are not of this process group is others'; 0 where the
 * system does not tell (it is no Linux).
 */
export const watchMachine = (): OthersShare => {
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
};
