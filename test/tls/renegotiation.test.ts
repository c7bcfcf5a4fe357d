import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { rawRequest } from '../api/raw-socket.ts';
import { startTestService } from '../helpers/test-service.ts';
import { clientOptions, connectTo, createTlsFolder } from './tls-service.ts';

it('a client that asks for another handshake does not get one, before and after the files are read again', async (t) => {
  const folder = await createTlsFolder(t);
  const service = await startTestService(t, { settings: folder.settings });
  for (const reload of [false, true]) {
    if (reload) await service.running.reload();
    const client = { ca: folder.ca, version: 'TLSv1.2' } as const;
    assert.ok(clientOptions(client).ca);
    const socket = await connectTo(service.url, client);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.write(rawRequest('GET', '/healthz'));
    await until(() => text.includes('alive'), 'it is served');
    const refused = new Promise<Error>((resolve) => {
      socket.once('error', resolve);
      socket.renegotiate({}, (error) => {
        if (error !== null) resolve(error);
        else assert.fail('the server shook hands again');
      });
    });
    assert.match(String(await refused), /no[ _]renegotiation/i);
    socket.destroy();
  }
});
