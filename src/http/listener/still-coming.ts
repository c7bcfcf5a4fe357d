import type { Connection } from './connection.ts';

/** Milliseconds of a stop in which connections without a request can hold it up, and one of them in its handshake. */
const COMING_LIMIT_MS = 3_500;
const HANDSHAKE_MS = 2_000;

/** What a server that closes knows of what came; monotonic milliseconds. */
export interface News {
  /** When a connection was made, its handshake done, or a request came last. */
  readonly newsAt: number;
  readonly drainsSince: number;
  /** How long half of a request is waited for; a new connection as long as there is news this often. */
  readonly patienceMs: number;
}

/**
 * Whether a server that closes has to wait: for answers as long as they take, for half of a request `patienceMs`, for a
 * handshake 2 s, for a new connection that has sent nothing as long as there is news; for what is coming 3.5 s at most.
 */
export function isStillComing(
  connections: Iterable<Connection>,
  handshaking: Iterable<Connection>,
  { newsAt, drainsSince, patienceMs }: News,
): boolean {
  const now = performance.now();
  const drainsFor = now - drainsSince;
  const newSince = drainsFor < COMING_LIMIT_MS ? now - COMING_LIMIT_MS : now;
  for (const { cameAt } of handshaking) {
    if (cameAt > newSince && now - cameAt < HANDSHAKE_MS) return true;
  }
  const hasNews = now - newsAt < patienceMs;
  for (const { requests, cameAt } of connections) {
    if (!requests.isEmpty) return true;
    if (requests.unanswered > 0 && drainsFor < patienceMs) return true;
    if (hasNews && !requests.hasAsked && cameAt > newSince) return true;
  }
  return false;
}
