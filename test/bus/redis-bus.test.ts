import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { redisForSuite } from '../helpers/redis-for-suite.ts';
import { redisWorld } from './bus-openers.ts';
import { handedOverContract } from './handed-over-contract.ts';
import { lostWordsContract } from './lost-words-contract.ts';
import { manyInstancesContract } from './many-instances-contract.ts';
import { oneInstanceContract } from './one-instance-contract.ts';
import { takenOverContract } from './taken-over-contract.ts';

const nothingLeft = watchForLeftovers();

describe('the bus on one Redis', { skip: skipWithout('Redis') }, () => {
  const server = redisForSuite();
  const open = async (t: Parameters<typeof redisWorld>[0]) =>
    redisWorld(t, {
      kind: 'single',
      server: { host: '127.0.0.1', port: server().port },
      database: 0,
    });
  it('a call whose waking fails in an unforeseen way ends, and that is told', async (t) => {
    const one = await (await open(t)).instance({ mayFail: true });
    const cause = new Error('unforeseen');
    const asked = one.ask({
      account: 1,
      pushed: () => {
        throw cause;
      },
    });
    assert.equal((await asked.ending).outcome, 'push-failed');
    await until(() => one.told.failed.length > 0, 'it is told');
    assert.deepEqual(one.told.failed, [{ during: 'call', error: cause }]);
  });

  oneInstanceContract('Redis', open);
  manyInstancesContract('Redis', open);
  handedOverContract('Redis', open);
  lostWordsContract('Redis', open);
  takenOverContract('Redis', open);
});

nothingLeft();
