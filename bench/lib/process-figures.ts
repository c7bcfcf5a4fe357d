import { readFileSync } from 'node:fs';

/** proc(5): clock ticks a second, which Linux shows to programs as 100 on every architecture of ours. */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat behind the name of the program, which may itself hold spaces: utime and stime. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Milliseconds of processor time that the process has used, all its threads together, in steps of 10. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) * 1_000) / TICKS_PER_SECOND;
}

/** Resident memory in bytes (`Rss` of /proc/PID/smaps_rollup): pages of programs and libraries included. */
export function residentBytes(pid: number): number {
  const kilobytes = /^Rss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/smaps_rollup tells no Rss`);
  return Number(kilobytes) * 1024;
}

/** The children of a process, those of every thread. */
export function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}
