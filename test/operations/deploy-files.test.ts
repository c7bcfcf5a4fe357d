import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

function read(path: string) {
  return readFileSync(path, 'utf8');
}
const run = promisify(execFile);
const MIB = 2 ** 20;

/** The values of a directive in the unit, in the order of writing. */
function directives(name: string): string[] {
  return [...UNIT.matchAll(/^([A-Za-z]+)=(.*)$/gm)].flatMap(([, key, value = '']) =>
    key === name ? [value] : [],
  );
}

/** The one value of a key anywhere in the compose file. */
function composed(key: string): string {
  const values = [...COMPOSE.matchAll(new RegExp(`^ +${key}: (.+)$`, 'gm'))].map(([, value = '']) => value);
  assert.equal(values.length, 1, `${key} stands once in the compose file`);
  return values[0] ?? '';
}

/** `2G` and `2g` as bytes. */
function bytes(text: string): number {
  const [, number, unit] = /^(\d+)([MG])$/i.exec(text) ?? [];
  assert.ok(number !== undefined && unit !== undefined, `${text} is a size in M or G`);
  return Number(number) * (unit.toUpperCase() === 'G' ? 1_024 * MIB : MIB);
}

function heapOf(options: string): number {
  return Number(/^--max-old-space-size=(\d+)$/.exec(options)?.[1]) * MIB;
}

const UNIT = read('deploy/vialer-middleware.service');
const COMPOSE = read('deploy/docker-compose.yml');
const IMAGE = read('deploy/Dockerfile');
const unitEnvironment = directives('Environment').map((line) => line.split('=', 1)[0] ?? '');

/** docs/performance.md, "Sizing", and docs/deployment.md, "Memory". */
const AT_START = 160 * MIB;
const A_WAITING_CALL = 35 * 1_024;
const HEAP_SHARE = 0.55;

describe('the files in deploy/ keep the service within bounds', () => {
  for (const { file, memory, heap, openFiles } of [
    {
      file: 'the unit',
      memory: () => directives('MemoryMax')[0] ?? '',
      heap: () =>
        directives('Environment')
          .find((line) => line.startsWith('NODE_OPTIONS='))
          ?.slice(13) ?? '',
      openFiles: () => Number(directives('LimitNOFILE')[0]),
    },
    {
      file: 'the compose file',
      memory: () => composed('mem_limit'),
      heap: () => composed('NODE_OPTIONS'),
      openFiles: () => Number(composed('nofile')),
    },
  ]) {
    it(`${file}: the memory is enough for the calls that may wait, and the heap's limit comes first`, () => {
      const limit = bytes(memory());
      // The default of MAX_WAITING_CALLS: docs/configuration.md.
      const waiting = openFiles() / 2 - 200;
      const needed = AT_START + waiting * A_WAITING_CALL;
      assert.ok(needed <= 0.75 * limit, `${Math.round(needed / MIB)} MiB leave a quarter free`);
      assert.ok(heapOf(heap()) >= HEAP_SHARE * needed, 'the heap holds its share of the calls');
      assert.ok(heapOf(heap()) <= limit / 2, 'the other half is for what is outside of the heap');
    });
  }

  it('neither may swap, dump its memory or make processes without end', () => {
    assert.deepEqual(directives('MemorySwapMax'), ['0']);
    assert.equal(composed('memswap_limit'), composed('mem_limit'));
    assert.deepEqual(directives('LimitCORE'), ['0']);
    assert.equal(composed('core'), '0');
    assert.deepEqual(directives('TasksMax'), ['64']);
    assert.equal(composed('pids_limit'), '64');
  });

  it('nothing slows the unit down before its limit, and it starts again however often it crashed', () => {
    assert.deepEqual(directives('MemoryHigh'), []);
    const [, unitSection = ''] = /^\[Unit\]\n([\s\S]*?)^\[/m.exec(UNIT) ?? [];
    assert.match(unitSection, /^StartLimitIntervalSec=0$/m);
    assert.deepEqual(directives('Restart'), ['always']);
    assert.equal(composed('restart'), 'unless-stopped');
  });

  it('the unit does not start again and again with wrong settings, or without its settings', () => {
    assert.deepEqual(directives('RestartPreventExitStatus'), ['2']);
    assert.deepEqual(directives('EnvironmentFile'), ['/etc/vialer-middleware/env']);
  });

  it('the steps for systemd make the settings file, and leave it as it is when they are repeated', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-systemd-'));
    t.after(() => rm(folder, { recursive: true }));
    const step = read('docs/deployment.md').match(/^.*install -D -m 600 \/dev\/null.*$/m)?.[0] ?? '';
    const command = step.replaceAll('sudo ', '').replaceAll('/etc/', `${folder}/`);
    const file = join(folder, 'vialer-middleware/env');
    await run('sh', ['-ec', command]);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    await writeFile(file, 'HOST=0.0.0.0\n');
    await run('sh', ['-ec', command]);
    assert.equal(read(file), 'HOST=0.0.0.0\n');
  });

  it('both wait longer for the end than SHUTDOWN_GRACE can be', () => {
    const LONGEST_GRACE_S = 60;
    assert.ok(Number(directives('TimeoutStopSec')[0]) > LONGEST_GRACE_S);
    assert.ok(Number.parseInt(composed('stop_grace_period'), 10) > LONGEST_GRACE_S);
  });

  it('every stage of the image is of one base, pinned by digest, with the version of Node that is tested', () => {
    const { devDependencies } = JSON.parse(read('package.json'));
    const [, tag, digest] = /^ARG NODE_IMAGE=node:([\d.]+)-alpine@sha256:([0-9a-f]+)$/m.exec(IMAGE) ?? [];
    assert.equal(tag, devDependencies.node);
    assert.equal(digest?.length, 64);
    const bases = [...IMAGE.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    assert.deepEqual(new Set(bases), new Set([`\${NODE_IMAGE}`]));
  });

  it('metrics are for Prometheus alone: on loopback in the image, on an internal network in the compose file', () => {
    assert.match(IMAGE, /^ +PROMETHEUS_HOST=127\.0\.0\.1 /m);
    assert.doesNotMatch(IMAGE, /^EXPOSE .*9000/m);
    assert.equal(unitEnvironment.includes('PROMETHEUS_HOST'), false);
    const address = composed('PROMETHEUS_HOST');
    assert.equal(composed('ipv4_address'), address);
    const [, subnet = ''] = /- subnet: ([\d.]+)\.\d+\/\d+$/m.exec(COMPOSE) ?? [];
    assert.ok(address.startsWith(`${subnet}.`), `${address} is of ${subnet}`);
    assert.match(COMPOSE, /^networks:\n {2}metrics:\n(?: {4}#.*\n)? {4}internal: true$/m);
    const published = [...COMPOSE.matchAll(/^ {6}- "([\d.:]+)"$/gm)].map(([, port]) => port);
    assert.deepEqual(published, ['127.0.0.1:8080:8080']);
  });

  it('neither has privileges, a writable system or secrets in its environment', () => {
    assert.match(IMAGE, /^USER node$/m);
    assert.equal(composed('read_only'), 'true');
    assert.equal(composed('cap_drop'), '[ALL]');
    assert.match(composed('security_opt'), /no-new-privileges:true/);
    assert.deepEqual(directives('CapabilityBoundingSet'), ['']);
    assert.deepEqual(directives('NoNewPrivileges'), ['yes']);
    assert.deepEqual(directives('ProtectSystem'), ['strict']);
    assert.deepEqual(directives('DynamicUser'), ['yes']);
    for (const text of [UNIT, COMPOSE, IMAGE]) {
      assert.doesNotMatch(text, /(TOKEN|KEY|PASSWORD)[:=] *\S/, 'secrets come by …_FILE');
    }
  });

  it("the container's log does not fill the disk", () => {
    assert.match(composed('max-size'), /^\d+m$/);
    assert.match(composed('max-file'), /^"\d+"$/);
  });
});
