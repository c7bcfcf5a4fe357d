import { readFileSync } from 'node:fs';

/** Waiting calls that MAX_WAITING_CALLS may allow at most. */
export const MOST_WAITING_CALLS = 50_000;
/** The default of MAX_WAITING_CALLS, however few files may be open. */
const FEWEST_WAITING_CALLS = 100;
/** Open files for listeners, database, push services and whoever else asks. */
const OTHER_FILES = 200;
/** Assumed where the limit cannot be read: the usual one of a shell. */
const CAUTIOUS_LIMIT = 1024;

/** Open files that so many waiting calls need: one for each PBX, one for each phone that answers. */
export function filesFor(waitingCalls: number): number {
  return waitingCalls * 2 + OTHER_FILES;
}

/** Connections that MAX_CONNECTIONS may allow at most, and its default where files allow more: 100,000 take about 1 GB. */
export const MOST_CONNECTIONS = 1_000_000;
const USUAL_CONNECTIONS = 100_000;
/** The least it may be set to, and the default however few files may be open. */
export const FEWEST_CONNECTIONS = 100;

/** Connections beyond MAX_CONNECTIONS that may be open for a moment, if the limit of open files allows it. */
const USUAL_BEYOND = 1_000;
const FEWEST_BEYOND = 50;

/** As many connections of PBXs and apps as the limit of open files carries beside everything else, and some beyond them. */
export function connectionsFor(openFiles: number, databaseConnections: number): number {
  const carried = openFiles - OTHER_FILES - databaseConnections;
  const kept = carried - Math.min(USUAL_BEYOND, Math.floor(carried / 4));
  return Math.min(USUAL_CONNECTIONS, Math.max(FEWEST_CONNECTIONS, kept));
}

/** Connections that may be open beyond so many, 50 to 1,000. */
export function connectionsBeyond(
  connections: number,
  openFiles: number,
  databaseConnections: number,
): number {
  const carried = openFiles - OTHER_FILES - databaseConnections - connections;
  return Math.min(USUAL_BEYOND, Math.max(FEWEST_BEYOND, carried));
}

/** As many waiting calls as the limit of open files carries, 100 to 50,000. */
export function waitingCallsFor(openFiles: number): number {
  const carried = Math.floor((openFiles - OTHER_FILES) / 2);
  return Math.min(MOST_WAITING_CALLS, Math.max(FEWEST_WAITING_CALLS, carried));
}

/** The soft limit of this process's open files. */
export function openFilesLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
    return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft ?? CAUTIOUS_LIMIT);
  } catch {
    // Only Linux tells.
    return CAUTIOUS_LIMIT;
  }
}
