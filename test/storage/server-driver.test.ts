import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LendingPool } from '../../src/storage/server/lending-pool.ts';
import { ServerDriver } from '../../src/storage/server/server-driver.ts';
import type { ServerPool, ServerSession } from '../../src/storage/server/server-pool.ts';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';

class Lost extends Error {}
class ReadOnly extends Error {}

/** A driver's pool that keeps each connection, with the SQL that was run on it. */
class NamedSessions implements ServerPool {
  readonly log: string[] = [];
  /** What a connection does with a statement. */
  answer: (name: string, sql: string) => Promise<string | undefined> = async () => undefined;
  ended = false;
  #opened = 0;
  readonly #idle: ServerSession[] = [];

  async take(): Promise<ServerSession> {
    const idle = this.#idle.shift();
    if (idle !== undefined) return idle;
    this.#opened += 1;
    const name = `${this.#opened}`;
    const now = performance.now();
    const session: ServerSession = {
      openedAt: now,
      answeredAt: now,
      run: async (sql) => {
        this.log.push(`${name}: ${sql}`);
        return { rows: [], affected: undefined, command: await this.answer(name, sql) };
      },
      release: () => void this.#idle.push(session),
      destroy: () => void this.log.push(`${name} closed`),
    };
    return session;
  }

  async end(): Promise<void> {
    this.ended = true;
  }
}

function scene(limitMs = 5_000) {
  const sessions = new NamedSessions();
  const driver = new ServerDriver(new LendingPool(sessions, 4), {
    limitMs,
    meansLost: (error) => error instanceof Lost,
    meansOutdated: (error) => error instanceof ReadOnly,
  });
  return { sessions, driver };
}

describe('connections to a database server', () => {
  it('that were last heard of before one was found lost are not used any more', async () => {
    const { sessions, driver } = scene();
    const idle = [await driver.acquireConnection(), await driver.acquireConnection()];
    for (const connection of idle) await driver.releaseConnection(connection);
    sessions.answer = async (name) => {
      if (name === '1') throw new Lost('gone');
      return undefined;
    };
    const connection = await driver.acquireConnection();
    await driver.beginTransaction(connection);
    assert.deepEqual(sessions.log, ['1: begin', '1 closed', '2 closed', '3: begin']);
  });

  it('that others have heard of meanwhile are used further', async () => {
    const { sessions, driver } = scene();
    const connection = await driver.acquireConnection();
    await driver.beginTransaction(connection);
    await driver.commitTransaction(connection);
    await driver.releaseConnection(connection);
    await driver.beginTransaction(await driver.acquireConnection());
    assert.deepEqual(sessions.log, ['1: begin', '1: commit', '1: begin']);
  });

  it('that miss the time of a query are closed, and so are those that were idle since', async () => {
    const { sessions, driver } = scene(50);
    const idle = [await driver.acquireConnection(), await driver.acquireConnection()];
    for (const connection of idle) await driver.releaseConnection(connection);
    sessions.answer = () => new Promise(() => {});
    const stuck = await driver.acquireConnection();
    await assert.rejects(driver.beginTransaction(stuck), { name: 'DeadlineMissed' });
    await driver.releaseConnection(stuck);
    sessions.answer = async () => undefined;
    await driver.beginTransaction(await driver.acquireConnection());
    assert.equal(sessions.log.at(-1), '3: begin');
    assert.ok(sessions.log.includes('2 closed'));
  });

  it('that cannot roll back are closed, and a commit that was a rollback is no success', async () => {
    const { sessions, driver } = scene();
    const connection = await driver.acquireConnection();
    sessions.answer = async (_name, sql) => {
      if (sql === 'rollback') throw new Error('no');
      return sql === 'commit' ? 'ROLLBACK' : undefined;
    };
    await assert.rejects(driver.commitTransaction(connection), { name: 'CommitRefused' });
    await driver.rollbackTransaction(connection);
    await driver.releaseConnection(connection);
    assert.equal(sessions.log.at(-1), '1 closed');
  });

  it('give up what they wait for when the driver is closed', async () => {
    const { sessions, driver } = scene();
    const connection = await driver.acquireConnection();
    sessions.answer = () => new Promise(() => {});
    const waiting = assert.rejects(driver.beginTransaction(connection), { name: 'DriverClosed' });
    await driver.destroy();
    await waiting;
    assert.equal(sessions.ended, true);
  });

  it('are not asked for while the database is not to be used', async () => {
    const refusal = new StorageUnavailable('opening', { cause: undefined });
    const driver = new ServerDriver(new LendingPool(new NamedSessions(), 1), {
      limitMs: 1_000,
      meansLost: () => false,
      meansOutdated: () => false,
      refusal: () => refusal,
    });
    await assert.rejects(driver.acquireConnection(), (error) => error === refusal);
  });
});
