import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLocalFailures } from '../../src/http/access/limits/local-failures.ts';
import { createSharedFailures } from '../../src/http/access/limits/shared-failures.ts';

/** A counter with a limit of 3 over a link that answers with `answer`. */
function counterOver(answer: () => Promise<unknown>) {
  const keys: string[] = [];
  const unshared: unknown[] = [];
  const link = {
    up: true,
    isUp: () => link.up,
    run: (_script: unknown, [key = '']: readonly string[]) => {
      keys.push(key);
      return answer();
    },
  };
  const local = createLocalFailures({ limit: 3, onForgotten: () => {}, clock: () => 1_000 });
  const onUnshared = (error: unknown) => unshared.push(error);
  const counter = createSharedFailures({ local, link, prefix: 'p:', onUnshared });
  return { counter, keys, unshared, link };
}

describe('failures that several instances count', () => {
  it('reach Redis one by one, however many came before', async () => {
    const { counter, keys } = counterOver(async () => [1, 60_000]);
    for (let number = 0; number < 500; number += 1) {
      counter.failed(`client ${number}`);
      await turn();
    }
    assert.equal(keys.length, 500);
    assert.equal(keys[0], 'p:client 0');
  });

  it('have at most 200 commands under way to a slow Redis, and count here all the same', async () => {
    const { counter, keys } = counterOver(() => new Promise(() => {}));
    for (let number = 0; number < 300; number += 1) counter.failed(`client ${number}`);
    assert.equal(keys.length, 200);
    for (let time = 0; time < 2; time += 1) counter.failed('client 299');
    assert.ok(counter.blockedForMs('client 299') > 0);
  });

  it('of all instances block here', async () => {
    const { counter } = counterOver(async () => [3, 20_000]);
    counter.failed('client');
    await turn();
    assert.equal(counter.blockedForMs('client'), 20_000);
  });

  it('of a client that is already blocked are not sent to Redis', async () => {
    const { counter, keys } = counterOver(async () => [3, 20_000]);
    counter.failed('client');
    await turn();
    counter.failed('client');
    assert.equal(keys.length, 1);
  });

  it('stay here while Redis is down, fails or answers something else, and each is reported', async () => {
    const failure = new Error('no answer');
    const { counter, keys, unshared, link } = counterOver(async () => {
      if (keys.length === 1) throw failure;
      return keys.length === 2 ? 'something else' : [1];
    });
    link.up = false;
    counter.failed('client');
    assert.equal(keys.length, 0);
    link.up = true;
    for (const key of ['a', 'b', 'c']) {
      counter.failed(key);
      await turn();
    }
    assert.equal(unshared.length, 4);
    assert.deepEqual(unshared.slice(0, 2), [undefined, failure]);
    for (const answer of unshared.slice(2)) assert.match(String(answer), /something else/);
  });
});
