import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Asker, LendingPool, type Purpose } from '../../src/storage/server/lending-pool.ts';
import type { ServerPool, ServerSession } from '../../src/storage/server/server-pool.ts';

/** A driver's pool whose connections open at once, or are refused while it is full. */
class OpenSessions implements ServerPool {
  open = 0;
  most = 0;
  ended = 0;
  refusal: Error | undefined;
  readonly #idle: ServerSession[] = [];

  async take(): Promise<ServerSession> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.refusal !== undefined) throw this.refusal;
    this.open += 1;
    this.most = Math.max(this.most, this.open);
    const now = performance.now();
    const session: ServerSession = {
      openedAt: now,
      answeredAt: now,
      run: async () => ({ rows: [], affected: undefined, command: undefined }),
      release: () => void this.#idle.push(session),
      destroy: () => {
        this.open -= 1;
      },
    };
    return session;
  }

  async end(): Promise<void> {
    this.ended += 1;
  }
}

function asker(purpose: Purpose, gaveUp = false): Asker {
  return { purpose, gaveUp };
}

/** Asks for `count` connections, and notes those that are lent. */
function ask(pool: LendingPool, purpose: Purpose, count: number) {
  const lent: ServerSession[] = [];
  const failed: unknown[] = [];
  for (let number = 0; number < count; number += 1)
    pool.take(asker(purpose)).then(
      (session) => lent.push(session),
      (error: unknown) => failed.push(error),
    );
  return { lent, failed };
}

describe('connections of a pool', () => {
  for (const [size, changes] of [
    [1, 1],
    [2, 1],
    [4, 3],
    [8, 6],
  ] as const)
    it(`of ${size}, changes get ${changes} and the rest is for reads`, async () => {
      const pool = new LendingPool(new OpenSessions(), size);
      const { lent } = ask(pool, 'change', size + 1);
      await turn();
      assert.equal(lent.length, changes);
      const reads = ask(pool, 'read', size + 1);
      await turn();
      assert.equal(reads.lent.length, size - changes);
    });

  it('go to those that wait, in their order, reads first', async () => {
    const sessions = new OpenSessions();
    const pool = new LendingPool(sessions, 2);
    const [first, second] = [await pool.take(asker('read')), await pool.take(asker('change'))];
    const order: string[] = [];
    const wait = (name: string, purpose: Purpose) =>
      pool.take(asker(purpose)).then((session) => {
        order.push(name);
        return session;
      });
    const waiting = [wait('change 1', 'change'), wait('read 1', 'read'), wait('read 2', 'read')];
    await turn();
    assert.deepEqual(order, []);
    first.release();
    await turn();
    assert.deepEqual(order, ['read 1']);
    (await waiting[1])?.release();
    await turn();
    assert.deepEqual(order, ['read 1', 'read 2']);
    second.release();
    await turn();
    assert.deepEqual(order, ['read 1', 'read 2', 'change 1']);
    assert.equal(sessions.most, 2);
  });

  it('are given back once, however often their borrower says so', async () => {
    const sessions = new OpenSessions();
    const pool = new LendingPool(sessions, 2);
    const session = await pool.take(asker('read'));
    session.destroy();
    session.destroy();
    const { lent } = ask(pool, 'read', 4);
    await turn();
    assert.equal(lent.length, 2);
  });

  it('are not lent to one that waits no longer', async () => {
    const pool = new LendingPool(new OpenSessions(), 1);
    const session = await pool.take(asker('read'));
    let late = false;
    void pool.take(asker('read', true)).then(() => {
      late = true;
    });
    const { lent } = ask(pool, 'read', 1);
    session.release();
    await turn();
    assert.equal(lent.length, 1);
    assert.equal(late, false);
  });

  it('are waited for by 10,000 at most; those who gave up count no longer', async () => {
    const pool = new LendingPool(new OpenSessions(), 1);
    const session = await pool.take(asker('read'));
    void pool.take(asker('read', true));
    const waiting = ask(pool, 'read', 9_999);
    const further = ask(pool, 'read', 2);
    await turn();
    assert.deepEqual(
      further.failed.map((error) => error instanceof Error && error.message),
      ['too many wait for a connection to the database'],
    );
    session.release();
    await turn();
    assert.deepEqual([waiting.lent.length, waiting.failed.length], [1, 0]);
  });

  it('that the server refuses cost nothing while others work, and the refusal is reported', async () => {
    const sessions = new OpenSessions();
    const pool = new LendingPool(sessions, 4);
    const session = await pool.take(asker('read'));
    assert.equal(pool.shortage, undefined);
    sessions.refusal = new Error('too many connections');
    const { lent, failed } = ask(pool, 'read', 2);
    await turn();
    assert.deepEqual([lent.length, failed.length], [0, 0]);
    assert.deepEqual(pool.shortage, { granted: 1, refusal: sessions.refusal });
    session.release();
    await turn();
    lent[0]?.release();
    await turn();
    assert.deepEqual([lent.length, failed.length], [2, 0]);
    assert.equal(sessions.most, 1);
  });

  it('that the server refuses altogether are reported to everybody who waits, after a second try', async () => {
    const sessions = new OpenSessions();
    sessions.refusal = new Error('refused');
    const pool = new LendingPool(sessions, 1);
    const { lent, failed } = ask(pool, 'read', 3);
    const changes = ask(pool, 'change', 1);
    await turn();
    assert.deepEqual(failed, [sessions.refusal, sessions.refusal, sessions.refusal]);
    assert.deepEqual([lent.length, changes.failed], [0, [sessions.refusal]]);
    sessions.refusal = undefined;
    await pool.take(asker('read'));
  });

  it('are closed by the driver', async () => {
    const sessions = new OpenSessions();
    await new LendingPool(sessions, 1).end();
    assert.equal(sessions.ended, 1);
  });
});
