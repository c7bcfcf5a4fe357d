import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CALL_OUTCOMES } from '../../src/calls/call-outcome.ts';
import { readConfig } from '../../src/config/config.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

const read = (path: string) => readFileSync(path, 'utf8');

/** The first cell of each row of the document's tables, where it is one word in code quotes. */
const namesIn = (path: string): string[] =>
  [...read(path).matchAll(/^\| `([A-Za-z_-]+)` \|/gm)].map((match) => match[1] ?? '');

describe('the documents say what the code does', () => {
  test('docs/configuration.md has every setting, with its default, and no other', () => {
    const report = readConfig({ env: { HOST: '127.0.0.1' }, readFile: () => '', openFiles: 1_024 });
    const settings = report.found.map((setting) => setting.name);
    assert.deepEqual(namesIn('docs/configuration.md').sort(), [...new Set(settings)].sort());
    const text = read('docs/configuration.md');
    for (const { name, value } of report.found) {
      if (value === '' || name === 'HOST' || COMPUTED.has(name)) continue;
      const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
      assert.ok(row.includes(`\`${value}\``), `${name}: its default ${value} is not in its row: ${row}`);
    }
  });

  test('docs/outcomes.md has every outcome and no other', () => {
    assert.deepEqual(namesIn('docs/outcomes.md').sort(), [...CALL_OUTCOMES].sort());
  });

  test('docs/metrics.md has every metric with its labels and no other', async () => {
    const { registry } = createTelemetry({
      openLog: () => ({ isOn: () => false, write: () => {}, writeError: () => {}, flush: () => {} }),
      dockerTag: 'x',
      callsWaiting: () => 0,
      loop: { delayMs: 0, late: false },
      usesRedis: false,
    });
    const metrics = registry.getMetricsAsArray().filter(({ name }) => !/^(process|nodejs)_/.test(name));
    assert.deepEqual(namesIn('docs/metrics.md').sort(), metrics.map(({ name }) => name).sort());
    const text = read('docs/metrics.md');
    for (const metric of metrics) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${metric.name}\``)) ?? '';
      for (const label of labelsOf(metric)) {
        assert.ok(row.includes(`\`${label}\``), `${metric.name}: its label ${label} is not in its row`);
      }
    }
  });

  test('README.md links only to documents that are there', () => {
    for (const document of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/decisions/README.md']) {
      const folder = document.includes('/') ? document.slice(0, document.lastIndexOf('/') + 1) : '';
      for (const [, target = ''] of read(document).matchAll(/\]\(((?!https?:|#)[^)#]+)/g)) {
        assert.doesNotThrow(
          () => readFileSync(`${folder}${target}`.replace(/\/$/, '/README.md')),
          `${document}: ${target}`,
        );
      }
    }
  });
});

/** Their defaults follow from the machine or from another setting. */
const COMPUTED = new Set(['MAX_CONNECTIONS', 'MAX_WAITING_CALLS', 'SHUTDOWN_GRACE']);

function labelsOf(metric: object): string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
}
