import type { Socket } from 'node:net';
import type { Idle } from './idle-connections.ts';
import type { Pipeline } from './pipeline.ts';
import { sentBytes, unsentBytes } from './unsent-bytes.ts';

/**
 * Why a connection was closed before its client closed it.
 * - `idle`: more than MAX_CONNECTIONS were open, and it sent no request in 2 s although it had gone without one for longest.
 * - `crowded`: so many came at once that it did not get these 2 s; its request may have been on its way.
 * - `unread`: its client did not read: for 15 s, or when more than MAX_CONNECTIONS were open.
 * - `pipelined`: more than 16 of its requests were without an answer.
 */
export const CLOSED_BECAUSE = ['idle', 'crowded', 'unread', 'pipelined'] as const;
export type ClosedBecause = (typeof CLOSED_BECAUSE)[number];

/** A connection and its requests. */
export interface Connection extends Idle<Connection> {
  /** Under TLS, too, the one that came. */
  readonly socket: Socket;
  /** What answers are written to: the same one, or TLS on top of it. */
  writer: Socket;
  readonly cameAt: number;
  readonly requests: Pipeline;
  /** When its last answer left; monotonic milliseconds. */
  answeredAt: number;
  /** Without a request while too many connections are open; monotonic milliseconds when it is closed. */
  closesAt: number | undefined;
  /** Bytes that had left when they were counted last, and when that number last grew. */
  sent: number;
  sentAt: number;
  isClosed: boolean;
}

/** How many connections a listener carries. */
export interface ConnectionLimits {
  /** Connections at once. If more have a request, 50 without one are allowed beside them. */
  readonly most: number;
  /** Further ones that may be open for 2 s, to send their request. */
  readonly beyond: number;
  /** Whether each answer is to close its connection, because the service stops. */
  readonly isStopping?: () => boolean;
  /** Milliseconds without a byte leaving after which a response counts as not read; default 15,000. */
  readonly stalledMs?: number;
  /** Called for each connection that is closed. */
  readonly onClosed: (why: ClosedBecause) => void;
}

/** A connection that was made just now. */
export function newConnection(socket: Socket, requests: Pipeline): Connection {
  const now = performance.now();
  return {
    socket,
    writer: socket,
    cameAt: now,
    requests,
    answeredAt: now,
    closesAt: undefined,
    sent: 0,
    sentAt: now,
    isClosed: false,
    isIdle: false,
    before: undefined,
    behind: undefined,
  };
}

/** Whether bytes wait for its client and none has left for `limitMs`; to be called again and again while some wait. */
export function isStalled(connection: Connection, now: number, limitMs: number): boolean {
  const sent = sentBytes(connection.socket);
  if (sent === connection.sent && unsentBytes(connection.socket) > 0)
    return now - connection.sentAt >= limitMs;
  connection.sent = sent;
  connection.sentAt = now;
  return false;
}
