import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newPushId } from '../../src/lib/push-id.ts';

/** RFC 9562, section 4, of version 4; in lower case, as Apple asks for. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

it('every push has a UUID of its own', () => {
  const ids = Array.from({ length: 1_000 }, newPushId);
  for (const id of ids) assert.match(id, UUID);
  assert.equal(new Set(ids).size, ids.length);
});
