import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** Milliseconds between two samples: with prom-client's 10 an idle process has half as much to do again. */
const SAMPLE_MS = 50;
/** Milliseconds that the figures are about at least: a second scrape at once must not find an empty time. */
const SHORTEST_MS = 10_000;
const NANOSECONDS = 1e9;

type Histogram = ReturnType<typeof monitorEventLoopDelay>;

const FIGURES: Readonly<
  Record<string, { readonly of: string; readonly read: (histogram: Histogram) => number }>
> = {
  nodejs_eventloop_lag_min_seconds: { of: 'minimum', read: ({ min }) => min },
  nodejs_eventloop_lag_max_seconds: { of: 'maximum', read: ({ max }) => max },
  nodejs_eventloop_lag_mean_seconds: { of: 'mean', read: ({ mean }) => mean },
  nodejs_eventloop_lag_stddev_seconds: { of: 'standard deviation', read: ({ stddev }) => stddev },
  nodejs_eventloop_lag_p50_seconds: { of: '50th percentile', read: (histogram) => histogram.percentile(50) },
  nodejs_eventloop_lag_p90_seconds: { of: '90th percentile', read: (histogram) => histogram.percentile(90) },
  nodejs_eventloop_lag_p99_seconds: { of: '99th percentile', read: (histogram) => histogram.percentile(99) },
};

/** Milliseconds between two samples of prom-client's own histogram, which nobody reads: the longest that Node takes. */
export const UNUSED_PRECISION_MS = 2 ** 31 - 1;

/**
 * Replaces prom-client's figures of the event loop in a registry that has its default metrics. Its own are about the time
 * since the last scrape, which may be too short for a sample: then the mean is NaN and the minimum 2^63 ns. These are about
 * the time since the last scrape too, but 10 s at least, and 0 until there is a sample. Returns what has to be called before
 * the registry is read.
 */
export function replaceEventLoopLag(registry: Registry): () => void {
  const histogram = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  histogram.enable();
  let since = performance.now();
  const gauges = Object.entries(FIGURES).map(([name, { of, read }]) => {
    registry.removeSingleMetric(name);
    const help = `Lateness of a timer of ${SAMPLE_MS} ms, which is included: ${of}.`;
    return { gauge: new Gauge({ name, help, registers: [registry] }), read };
  });
  return () => {
    if (histogram.count === 0) return;
    for (const { gauge, read } of gauges) gauge.set(read(histogram) / NANOSECONDS);
    if (performance.now() - since < SHORTEST_MS) return;
    since = performance.now();
    histogram.reset();
  };
}
