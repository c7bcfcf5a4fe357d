import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { endOnSignals } from '../../harness/end-on-signals.ts';
import { addSandboxApps } from '../../src/cli/sandbox/sandbox-apps.ts';
import { startWorld } from '../../src/sandbox/world.ts';
import { makeSubscribers } from '../faults/many/ledger.ts';
import { putSubscribersIn } from '../faults/many/subscribers-in.ts';
import { markdownTable } from '../helpers/markdown-table.ts';
import { Retries } from '../helpers/retries.ts';
import type { Front, Limits } from './front.ts';
import { APACHE } from './fronts/apache.ts';
import { CADDY } from './fronts/caddy.ts';
import { H2O } from './fronts/h2o.ts';
import { HAPROXY } from './fronts/haproxy.ts';
import { NGHTTPX } from './fronts/nghttpx.ts';
import { NGINX } from './fronts/nginx.ts';
import { tryNginxRule } from './nginx-rule.ts';
import { runTrial, type Stage, type TrialResult } from './run-trial.ts';
import { versionOf } from './running-front.ts';
import { CALLS, TRIALS } from './trial.ts';

const FRONTS: readonly Front[] = [NGINX, HAPROXY, APACHE, CADDY, H2O, NGHTTPX];
/** More than the stand-ins ever get at once: what limits the calls is the proxy. */
const STREAMS = 1_000;
/** Calls of a trial that are shown if they were lost; one cause usually shows many times. */
const SHOWN = 3;

/** Puts the proxies that the arguments ask for through all trials, prints a table and resolves with the exit code. */
export async function runProxies(args: readonly string[]): Promise<number> {
  const { only, trial: wanted } = readOptions(args);
  const fronts = FRONTS.filter(({ name }) => name.startsWith(only));
  const trials = TRIALS.filter(({ name }) => name.startsWith(wanted));
  if (fronts.length === 0 || (trials.length === 0 && wanted !== 'rule')) {
    print(KNOWN);
    return 1;
  }
  const missing = fronts.filter(({ program }) => !existsSync(program));
  if (missing.length > 0) {
    print(`Not installed: ${missing.map((front) => front.package).join(' ')} (scripts/install-proxies.sh)`);
    return 1;
  }
  await using open = new AsyncDisposableStack();
  endOnSignals(open);
  const stage = await openStage(open);
  const results: TrialResult[] = [];
  const retries = new Retries(fronts.length * trials.length);
  let failed = fronts.includes(NGINX) && 'rule'.startsWith(wanted) ? await reportRule(stage) : 0;
  for (const front of fronts) {
    for (const trial of trials) {
      try {
        const result = await retries.run(() => runTrial(front, trial, stage), report);
        results.push(result);
        if (result.problems.length > 0) failed += 1;
      } catch (error) {
        print(`✖ ${front.name}: ${trial.name}: could not be tried: ${String(error)}`);
        failed += 1;
      }
    }
  }
  if (results.length > 0) print(await renderTable(results));
  print(`${results.length} trials, ${failed} failed; ${retries.summary}`);
  return failed > 0 ? 1 : 0;
}

const KNOWN = `Proxies: ${FRONTS.map(({ name }) => name).join(', ')}\nTrials: rule; ${TRIALS.map(({ name }) => name).join('; ')}`;

interface Options {
  readonly only: string;
  readonly trial: string;
}

function readOptions(args: readonly string[]): Options {
  return new Command('npm run test:proxies --')
    .description(
      "Makes 400 calls in each trial through other people's HTTP/2 servers (docs/proxies.md). Takes some 4 minutes.",
    )
    .option('--only <name>', 'only proxies whose names begin so', '')
    .option('--trial <name>', 'only trials whose names begin so', '')
    .addHelpText('after', `\n${KNOWN}`)
    .parse(args, { from: 'user' })
    .opts<Options>();
}

/** Resolves with the number of failures. */
async function reportRule(stage: Stage): Promise<number> {
  const problems = await tryNginxRule(stage);
  print(
    `${problems.length === 0 ? '✔' : '✖'} nginx: the rule of docs/operations.md keeps the internet from PBXs' routes`,
  );
  for (const problem of problems) print(`    ${problem}`);
  return problems.length;
}

/** The push services, and a database with a phone for each call. */
async function openStage(open: AsyncDisposableStack): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-proxies-'));
  open.defer(() => rm(folder, { recursive: true, force: true }));
  const world = await startWorld({ apple: { firstStreams: STREAMS }, google: { streams: STREAMS } });
  open.defer(() => world.close());
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, world.ca.certificate);
  const databaseUrl = `sqlite:${join(folder, 'proxies.db')}`;
  await addSandboxApps(databaseUrl, world);
  const subscribers = makeSubscribers(CALLS);
  await putSubscribersIn(databaseUrl, subscribers);
  return {
    open,
    world,
    subscribers,
    settings: {
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      NODE_EXTRA_CA_CERTS: caFile,
      ...world.settings,
      ACCOUNT_AUTH: 'none',
      DATABASE_URL: databaseUrl,
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'json',
      // A machine that is busy with something else must not turn calls away.
      EVENT_LOOP_LIMIT: '0',
    },
  };
}

const HEADINGS = [
  'proxy',
  'version',
  'configuration',
  'reloads',
  'calls',
  'ACK',
  'NAK by outcome',
  'slowest ACK, ms',
  'connections made',
  'lost',
] as const;

async function renderTable(results: readonly TrialResult[]): Promise<string> {
  const rows: string[][] = [];
  for (const result of results) {
    const { front, trial, calls, acks, naks, connections, reloads, slowestMs, lost } = result;
    rows.push([
      front.name,
      await versionOf(front),
      `${describeLimits(front, trial.limits)}; ${describeLoad(result)}`,
      String(reloads),
      String(calls),
      String(acks),
      [...naks].map(([outcome, count]) => `${outcome} ${count}`).join(', ') || '0',
      String(slowestMs),
      String(connections),
      String(lost),
    ]);
  }
  return markdownTable(HEADINGS, rows);
}

function describeLimits(front: Front, { streams, requests }: Limits): string {
  const streamWords = front.limitsStreams ? `${streams} streams` : 'its own limit of streams';
  if (requests === undefined) return streamWords;
  const byCount = front.endsConnections === 'after so many requests';
  return `${streamWords}, connections end ${byCount ? `after ${requests} requests` : front.endsConnections}`;
}

function describeLoad({ trial: { load, answerMs } }: TrialResult): string {
  return load.size === 1
    ? `${1_000 / load.everyMs} calls/s, answers after ${answerMs} ms`
    : `${load.size} calls every ${load.everyMs} ms, answers after ${answerMs} ms`;
}

function report({ name, lost, problems, logs, tookMs, othersShare }: TrialResult, place: string): void {
  print(`${problems.length === 0 ? '✔' : '✖'} ${place} ${name} (${(tookMs / 1_000).toFixed(1)} s)`);
  if (problems.length > 0) {
    print(`    ${lost} calls lost; other programs used ${Math.round(othersShare * 100)} % of the machine`);
  }
  for (const detail of [...problems.slice(0, SHOWN), ...logs]) print(`    ${detail}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
