import assert from 'node:assert/strict';
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts';

/** For `assert.rejects`: the rejection is `RedisUnavailable` with this fault. */
export function fault(wanted: string) {
  return (error: unknown) => {
    assert.ok(error instanceof RedisUnavailable, String(error));
    assert.equal(error.fault, wanted);
    return true;
  };
}
