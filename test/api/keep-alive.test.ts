import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { startTestService } from '../helpers/test-service.ts';
import { openSocket, rawRequest } from './raw-socket.ts';

it('KEEP_ALIVE_TIMEOUT is how long a connection without a request is kept', async (t) => {
  const service = await startTestService(t, { settings: { KEEP_ALIVE_TIMEOUT: '1000' } });
  const socket = await openSocket(service.url);
  socket.write(rawRequest('GET', '/healthz', []));
  await once(socket, 'data');
  const answeredAt = performance.now();
  socket.resume();
  await once(socket, 'end');
  const keptMs = performance.now() - answeredAt;
  socket.destroy();
  assert.ok(keptMs >= 900 && keptMs < 10_000, `kept for ${keptMs} ms`);
});
