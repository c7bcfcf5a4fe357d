/** What a connection has to carry to stand in the list. */
export interface Idle<C> {
  isIdle: boolean;
  /** Its neighbours in the list: the one that became idle before it, and the one after it. */
  before: C | undefined;
  behind: C | undefined;
}

/**
 * Connections in the order in which they became idle: a list of which any can be taken out without looking for it. Each
 * request takes its connection out and puts it back, and a Set would hash it both times.
 */
export class IdleConnections<C extends Idle<C>> {
  #oldest: C | undefined;
  #newest: C | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that has been idle for longest. */
  get oldest(): C | undefined {
    return this.#oldest;
  }

  /** It has become idle just now; nothing changes where it is already. */
  add(connection: C): void {
    if (connection.isIdle) return;
    connection.isIdle = true;
    connection.before = this.#newest;
    if (this.#newest === undefined) this.#oldest = connection;
    else this.#newest.behind = connection;
    this.#newest = connection;
    this.#size += 1;
  }

  /** It is not idle any more; nothing changes where it was not. */
  delete(connection: C): void {
    if (!connection.isIdle) return;
    connection.isIdle = false;
    const { before, behind } = connection;
    if (before === undefined) this.#oldest = behind;
    else before.behind = behind;
    if (behind === undefined) this.#newest = before;
    else behind.before = before;
    connection.before = undefined;
    connection.behind = undefined;
    this.#size -= 1;
  }
}
