import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import { idleTelemetry } from '../helpers/idle-telemetry.ts';
import { parseSeries } from '../helpers/parse-series.ts';

/** How long the event loop is held up, milliseconds. */
const HELD_UP_MS = 400;

/** What each figure is, as its help text says. */
const FIGURES = {
  min: 'minimum',
  max: 'maximum',
  mean: 'mean',
  stddev: 'standard deviation',
  p50: '50th percentile',
  p90: '90th percentile',
  p99: '99th percentile',
};

it('the help of each figure of the event loop says what it is', async () => {
  const text = await idleTelemetry().readMetrics();
  for (const [which, what] of Object.entries(FIGURES)) {
    const help = `# HELP nodejs_eventloop_lag_${which}_seconds Lateness of a timer of 50 ms, which is included: ${what}.\n`;
    assert.ok(text.includes(help), help);
  }
});

function block(): void {
  const until = performance.now() + HELD_UP_MS;
  while (performance.now() < until);
}

it('each figure of the event loop is its own, since the last scrape but of ten seconds at least', async (t) => {
  let later = 0;
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + later);
  const telemetry = idleTelemetry();
  const figures = async () => {
    const all = parseSeries(await telemetry.readMetrics());
    return (which: string): number =>
      all.find(({ name }) => name === `nodejs_eventloop_lag_${which}_seconds`)?.value ?? Number.NaN;
  };
  const of = await figures();
  for (const which of Object.keys(FIGURES)) assert.equal(of(which), 0, `${which} before the first sample`);

  // Twenty samples on time for one that is late.
  await delay(1_500);
  block();
  await delay(150);
  const late = await figures();
  assert.ok(late('min') > 0.04 && late('min') < 0.1, `min ${late('min')}`);
  assert.ok(late('max') >= HELD_UP_MS / 1_000 - 0.05, `max ${late('max')}`);
  assert.ok(late('mean') > late('min') && late('mean') < late('max'), `mean ${late('mean')}`);
  assert.ok(late('stddev') > 0.01 && late('stddev') < late('max') / 2, `stddev ${late('stddev')}`);
  assert.ok(late('p50') <= late('p90') && late('p90') <= late('p99'), 'percentiles in order');
  assert.ok(Math.abs(late('p99') - late('max')) < 0.01, `p99 ${late('p99')}`);

  await figures();
  assert.equal((await figures())('max'), late('max'), 'a scrape soon afterwards finds them again');
  later = 10_000;
  assert.equal((await figures())('max'), late('max'));
  await until(async () => (await figures())('max') < late('max'), 'the next figures are of a new time');

  block();
  await delay(150);
  const again = await figures();
  assert.ok(again('max') > 2 * again('min'), 'it was held up again');
  // Waits for another sample, by which a time that began anew would be found.
  await delay(150);
  assert.equal((await figures())('max'), again('max'), 'the new time is as long');
});
