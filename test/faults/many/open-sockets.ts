import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A TCP socket that a process holds, by the ports of its two ends; remote 0: it listens. */
export interface OpenSocket {
  readonly local: number;
  readonly remote: number;
}

/** What a process holds open. */
export interface OpenFiles {
  readonly sockets: readonly OpenSocket[];
  /** Everything that is no TCP socket: files, pipes, the event loop's own. */
  readonly others: number;
}

const SOCKET = /^socket:\[(\d+)\]$/;

function portOf(address: string | undefined): number {
  return Number.parseInt(address?.split(':').at(-1) ?? '', 16);
}

/** TCP sockets of this machine by inode; columns of proc(5), /proc/net/tcp. */
function socketsByInode(pid: number): ReadonlyMap<string, OpenSocket> {
  const sockets = new Map<string, OpenSocket>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      const inode = columns[9];
      if (inode !== undefined) sockets.set(inode, { local: portOf(columns[1]), remote: portOf(columns[2]) });
    }
  }
  return sockets;
}

/** Reads what a process holds open, from /proc (Linux). Throws where the process has ended. */
export function openFilesOf(pid: number): OpenFiles {
  const known = socketsByInode(pid);
  const sockets: OpenSocket[] = [];
  let others = 0;
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    let target: string;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      // It was closed since the list was made.
      continue;
    }
    const socket = known.get(SOCKET.exec(target)?.[1] ?? '');
    if (socket === undefined) others += 1;
    else sockets.push(socket);
  }
  return { sockets, others };
}
