import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { createMetricsServer } from '../../src/http/listener/metrics-server.ts';
import type { Readiness } from '../../src/http/routes/ops-routes.ts';
import { exchange, rawRequest } from '../api/raw-socket.ts';

const READY: Readiness = { notReady: [], degraded: [] };
const TEXT = 'up 1\n';
const SCRAPE = rawRequest('GET', '/metrics');

/** A metrics port of its own; how often its metrics were rendered. */
async function startMetrics(t: TestContext, rendered: () => Promise<void>, readiness = READY) {
  let renderings = 0;
  const server = createMetricsServer({
    readiness: async () => readiness,
    onClosed: () => {},
    read: async () => {
      renderings += 1;
      await rendered();
      return { contentType: 'text/plain', text: TEXT };
    },
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  return { url, renderings: () => renderings };
}

it('scrapes at once share one rendering, and health is answered meanwhile', async (t) => {
  const go = Promise.withResolvers<void>();
  const { url, renderings } = await startMetrics(t, () => go.promise);
  t.after(() => go.resolve());
  const burst = Array.from({ length: 40 }, () => exchange(url, SCRAPE, { answers: 1 }));
  await until(() => renderings() > 0, 'it is rendered');
  for (const path of ['/healthz', '/readyz']) assert.equal((await fetch(`${url}${path}`)).status, 200, path);
  go.resolve();
  const answers = await Promise.all(burst);
  for (const { text } of answers) assert.equal(text.split(TEXT).length, 2);
  // Those that came after the first rendering ended share the next.
  assert.ok(renderings() <= 2, `${renderings()} renderings`);
  // A later scrape gets later figures.
  const before = renderings();
  await exchange(url, SCRAPE, { answers: 1 });
  assert.equal(renderings(), before + 1);
});

it('nothing is rendered for a client that has left', async (t) => {
  const { url, renderings } = await startMetrics(t, async () => {});
  const closed = await exchange(url, SCRAPE, { half: true });
  assert.deepEqual([closed.statuses, closed.closed], [[], true]);
  await exchange(url, SCRAPE, { answers: 1 });
  assert.equal(renderings(), 1);
});

it('/readyz reports what keeps calls from ringing as 503, and what does not as degraded', async (t) => {
  const degraded = [{ subject: 'redis', text: 'slow' }] as const;
  const notReady = [{ subject: 'database', text: 'down' }] as const;
  const rows = [
    [{ ...READY, degraded }, 200, { status: 'degraded', reasons: ['slow'] }],
    [{ notReady, degraded }, 503, { status: 'not ready', reasons: ['down'] }],
  ] as const;
  for (const [readiness, status, body] of rows) {
    const { url } = await startMetrics(t, async () => {}, readiness);
    const answer = await fetch(`${url}/readyz`);
    assert.equal(answer.status, status);
    assert.deepEqual(await answer.json(), body);
  }
});
