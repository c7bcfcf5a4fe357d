import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Counter, Histogram, Registry } from 'prom-client';
import { MetricBatch } from '../../src/telemetry/metric-batch.ts';

const NAMES = ['a', 'b'] as const;
const BUCKETS = [1, 10, 100];

function metricsOn(registry: Registry) {
  return {
    counter: new Counter({ name: 'counter', help: 'c', labelNames: NAMES, registers: [registry] }),
    bare: new Counter({ name: 'bare', help: 'b', registers: [registry] }),
    histogram: new Histogram({
      name: 'histogram',
      help: 'h',
      labelNames: NAMES,
      buckets: BUCKETS,
      registers: [registry],
    }),
  };
}

const label = fc.constantFrom('x', 'y', 'x,b:y');
const move = fc.oneof(
  fc.record({ of: fc.constant('counter' as const), a: label, b: fc.option(label) }),
  fc.record({ of: fc.constant('histogram' as const), a: label, b: label, value: fc.nat({ max: 200 }) }),
  fc.record({ of: fc.constant('bare' as const) }),
  fc.record({ of: fc.constant('read' as const) }),
);

it('metrics that are moved later say the same as those that are moved at once, whenever they are read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 600 }), async (moves) => {
      const [now, later] = [new Registry(), new Registry()];
      const atOnce = metricsOn(now);
      const metrics = metricsOn(later);
      const batch = new MetricBatch();
      const batched = {
        counter: batch.counter(metrics.counter, NAMES),
        bare: batch.counter(metrics.bare, []),
        histogram: batch.histogram(metrics.histogram, NAMES),
      };
      const compare = async (): Promise<void> => {
        batch.flush();
        const sorted = async (registry: Registry) => (await registry.metrics()).split('\n').toSorted();
        assert.deepEqual(await sorted(later), await sorted(now));
      };
      for (const each of moves) {
        switch (each.of) {
          case 'counter': {
            const labels = each.b === null ? { a: each.a } : { a: each.a, b: each.b };
            atOnce.counter.inc(labels);
            batched.counter.inc(labels);
            break;
          }
          case 'histogram': {
            const { a, b, value } = each;
            atOnce.histogram.observe({ a, b }, value);
            batched.histogram.observe({ a, b }, value);
            break;
          }
          case 'bare':
            atOnce.bare.inc();
            batched.bare.inc();
            break;
          case 'read':
            await compare();
            break;
          default:
            each satisfies never;
        }
      }
      await compare();
    }),
    { numRuns: 30 },
  );
});

it('many observations do not wait until they are read', async () => {
  const registry = new Registry();
  const { histogram } = metricsOn(registry);
  const batched = new MetricBatch().histogram(histogram, NAMES);
  for (let value = 0; value < 1_000; value += 1) batched.observe({ a: 'x', b: 'y' }, value);
  const { values } = await histogram.get();
  const moved = values.find(({ metricName }) => metricName === 'histogram_count')?.value ?? 0;
  assert.ok(moved > 700, `${moved} were moved`);
});
