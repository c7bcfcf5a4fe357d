import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { it } from 'node:test';
import { destroySocket } from '../../src/storage/server/destroy-socket.ts';

it('the socket of a connection is closed; what holds none is left alone', () => {
  const stream = new Socket();
  destroySocket({ stream });
  assert.equal(stream.destroyed, true);
  for (const holder of [undefined, null, 'connection', {}, { stream: undefined }]) destroySocket(holder);
});
