import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { Agent } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { freePort } from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import { askPbx } from '../../src/sandbox/pbx.ts';
import { type ServiceProcess, startServiceProcess } from '../helpers/service-process.ts';

/** Lines that a pipe and the test's own reader cannot hold. */
const CALLS = 1_500;
/** Stopping takes at most 8 s once no call waits; a busy machine takes longer for everything. */
const LIMIT_MS = 15_000;

/** Calls that write a line each; resolves when all are answered. */
async function manyCalls(t: TestContext, service: ServiceProcess): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  t.after(() => agent.destroy());
  const calls = Array.from({ length: CALLS }, (_, index) =>
    askPbx({ url: service.url, account: 300_000_000 + index, phoneNumber: '020', agent }),
  );
  for (const { outcome } of await Promise.all(calls)) assert.equal(outcome, 'no-device');
}

async function metric(service: ServiceProcess, name: string): Promise<number> {
  const text = await (await fetch(`${service.metricsUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

async function endsInTime(service: ServiceProcess): Promise<void> {
  let code: number | string | undefined;
  void service.ended().then((ended) => {
    code = ended;
  });
  await until(() => code !== undefined, 'the process ends', LIMIT_MS);
  assert.equal(code, 0);
}

describe('a log that nobody takes', () => {
  it('a reader that has stopped reading stops neither calls nor the end of the process', async (t) => {
    const service = await startServiceProcess(t, { SHUTDOWN_GRACE: '0' });
    service.process.stdout?.pause();
    await manyCalls(t, service);
    service.process.kill('SIGTERM');
    await endsInTime(service);
  });

  it('a reader that is gone costs lines, which are counted, and nothing else', async (t) => {
    const service = await startServiceProcess(t, { SHUTDOWN_GRACE: '0' });
    service.process.stdout?.destroy();
    await manyCalls(t, service);
    await until(async () => (await metric(service, DROPPED)) >= CALLS, 'each line is counted');
    service.process.kill('SIGTERM');
    await endsInTime(service);
    const told = service.output().match(/^(?:Standard output cannot be written|Log lines lost: \d{4})/gm);
    assert.equal(told?.length, 2, service.output());
  });

  it('a full disk costs lines, which are counted, and nothing else', async (t) => {
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    const [PORT, PROMETHEUS_PORT] = [String(await freePort()), String(await freePort())];
    const settings = { PORT, PROMETHEUS_PORT, SHUTDOWN_GRACE: '0' };
    const service = await startServiceProcess(t, settings, { stdout: full });
    await manyCalls(t, service);
    await until(async () => (await metric(service, DROPPED)) >= CALLS, 'each line is counted');
    service.process.kill('SIGTERM');
    await endsInTime(service);
    const told = service.output().match(/^(?:Standard output cannot be written|Log lines lost: \d{4})/gm);
    assert.equal(told?.length, 2, service.output());
  });
});

const DROPPED = 'vialer_middleware_log_lines_dropped_total';
