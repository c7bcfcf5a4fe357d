import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CALL_OUTCOMES } from '../../src/calls/call-outcome.ts';
import { readConfig } from '../../src/config/config.ts';
import { OWN_REASONS } from '../../src/telemetry/app-labels.ts';
import { REDIS_FAULTS } from '../../src/telemetry/bus-telemetry.ts';
import { PLATFORM_FAILURES } from '../../src/telemetry/closed-labels.ts';
import { idleTelemetry } from '../helpers/idle-telemetry.ts';

function read(path: string) {
  return readFileSync(path, 'utf8');
}

/** The first cell of each row of the document's tables, where it is one word in code quotes. */
function namesIn(path: string): string[] {
  return [...read(path).matchAll(/^\| `([A-Za-z_-]+)` \|/gm)].map((match) => match[1] ?? '');
}

/** The words in code quotes of the second column of the table below a heading. */
function reasonsIn(path: string, heading: string): string[] {
  const [, section = ''] = read(path).split(`${heading}\n`);
  const rows =
    section
      .split(/^##/m)[0]
      ?.split('\n')
      .filter((line) => line.startsWith('| ')) ?? [];
  return rows
    .slice(2)
    .flatMap((row) => [...(row.split(' | ')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, word = '']) => word));
}

describe('the documents say what the code does', () => {
  it('docs/configuration.md has every setting, with its default, and no other', () => {
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

  it('docs/outcomes.md has every outcome and no other', () => {
    assert.deepEqual(namesIn('docs/outcomes.md').sort(), [...CALL_OUTCOMES].sort());
  });

  it('docs/outcomes.md and docs/metrics.md explain every reason of pushes, Redis and the platform API, and no other', () => {
    const ofPushes = ['## Reasons of a failed connection', '## Other reasons of pushes'].flatMap((heading) =>
      reasonsIn('docs/outcomes.md', heading),
    );
    assert.deepEqual(ofPushes.sort(), [...OWN_REASONS].sort());
    const ofRedis = reasonsIn('docs/metrics.md', '### Reasons of `redis_faults_total`');
    assert.deepEqual(ofRedis.sort(), [...REDIS_FAULTS].sort());
    const ofPlatform = reasonsIn('docs/metrics.md', '### Reasons of `platform_api_failures_total`');
    assert.deepEqual(ofPlatform.sort(), [...PLATFORM_FAILURES].sort());
  });

  it('every row of a table has as many cells as its header', () => {
    for (const document of globSync('{*.md,docs/**/*.md,bench/*.md,integrations/**/*.md}')) {
      let cells = 0;
      for (const [index, line] of read(document).split('\n').entries()) {
        const now = line.startsWith('|') ? line.replaceAll(/\\\||`[^`]*`/g, '').split('|').length : 0;
        if (cells > 0 && now > 0) assert.equal(now, cells, `${document}:${index + 1}: ${line}`);
        cells = now;
      }
    }
  });

  it('the files for each PBX say what becomes of a call with each outcome, and of no other', () => {
    // `ready` rings; `unreachable` is the PBX's own word where no instance answered.
    const expected = CALL_OUTCOMES.filter((outcome) => outcome !== 'ready');
    for (const [path, line] of Object.entries(TREATMENTS)) {
      const treated = [...read(path).matchAll(line)].map((match) => match[1] ?? '');
      assert.deepEqual(treated.filter((word) => word !== 'unreachable').sort(), [...expected].sort(), path);
    }
  });

  it('integrations/README.md tells what becomes of each outcome', () => {
    const told = [...read('integrations/README.md').matchAll(/^\| (`[^|]+) \|/gm)]
      .flatMap((match) => (match[1] ?? '').split(', '))
      .map((word) => word.replaceAll('`', ''));
    assert.deepEqual(told.sort(), [...CALL_OUTCOMES].sort());
  });

  it('docs/metrics.md has every metric with its labels and no other', async () => {
    const { registry } = idleTelemetry();
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

  it('README.md and its like link only to documents that are there', () => {
    for (const document of LINKING) {
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

/** Where a PBX's files say what becomes of a call, and how a line there names an outcome. */
const TREATMENTS = {
  'integrations/asterisk/wake.conf': /^exten => ([a-z-]+),1,Hangup\(\d+\)$/gm,
  'integrations/freeswitch/scripts/wake.lua': /^ {2}\["([a-z-]+)"\] = "[A-Z_]+",$/gm,
  'integrations/opensips/opensips.cfg': /^\t\tcase "([a-z-]+)":$/gm,
};

const LINKING = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'docs/decisions/README.md',
  ...globSync('docs/*.md'),
  ...globSync('integrations/**/README.md'),
];

/** Their defaults follow from the machine or from another setting. */
const COMPUTED = new Set(['APP_API_URL', 'MAX_CONNECTIONS', 'MAX_WAITING_CALLS', 'SHUTDOWN_GRACE']);

function labelsOf(metric: object): string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
}
