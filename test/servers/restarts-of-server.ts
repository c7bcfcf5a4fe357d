import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import type { DatabaseServer } from '../../harness/database-server.ts';
import { owned } from '../../harness/owned.ts';
import { startArguments } from '../../harness/start-command.ts';
import { until } from '../../harness/until.ts';
import { startRelay } from '../../src/sandbox/relay.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { allMigrations } from '../../src/storage/migrations/all-migrations.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { margin } from '../helpers/margin.ts';
import { startTestService } from '../helpers/test-service.ts';

interface Program {
  readonly output: () => string;
  /** Where it listens, once it does. */
  url(): Promise<string>;
  readonly ended: Promise<number | string>;
  stop(): void;
}

/** `serve` as a process of its own, on a database that may be away. */
function serve(t: Pick<TestContext, 'after'>, databaseUrl: string): Program {
  const child = spawn(...owned(process.execPath, startArguments()), {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: databaseUrl,
      PORT: '0',
      PROMETHEUS_PORT: '0',
      LOG_FORMAT: 'json',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit').then(([code, signal]): number | string => code ?? signal);
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const listening = () => /"url":"([^"]+)"/.exec(output)?.[1];
  return {
    output: () => output,
    url: async () => {
      await until(() => listening() !== undefined || child.exitCode !== null, 'the service listens');
      return listening() ?? assert.fail(`it did not start: ${output}`);
    },
    ended,
    stop: () => child.kill('SIGTERM'),
  };
}

async function readiness(url: string): Promise<readonly [number, string]> {
  const answer = await fetch(`${url}/readyz`);
  return [answer.status, await answer.text()];
}

async function callAt(url: string): Promise<readonly [string, string | null, number]> {
  const askedAt = performance.now();
  const body = new URLSearchParams({ sip_user_id: '123456789', phonenumber: '0201234567' });
  const answer = await fetch(`${url}/api/incoming-call/`, { method: 'POST', body });
  const text = await answer.text();
  return [text, answer.headers.get('x-wake-outcome'), performance.now() - askedAt];
}

/** A server that is away when the service starts, or whose connections die unnoticed. */
export function restartsOfServer(server: () => DatabaseServer): void {
  describe('restarts', () => {
    for (const state of ['killed', 'paused'] as const) {
      it(`a service started while the server is ${state} listens, says why it is not ready, and works when the server is back`, async (t) => {
        const url = await server().createDatabase();
        if (state === 'killed') await server().kill();
        else await server().process.pause();
        t.after(() => (state === 'paused' ? server().process.resume() : undefined));
        const program = serve(t, url);
        const service = await program.url();
        const [status, text] = await readiness(service);
        assert.equal(status, 503);
        assert.match(text, state === 'killed' ? /cannot be reached/ : /did not answer in time|being opened/);
        assert.equal((await fetch(`${service}/healthz`)).status, 200);
        const [body, outcome, tookMs] = await callAt(service);
        assert.deepEqual([body, outcome], ['status=NAK', 'storage-unavailable']);
        assert.ok(tookMs < margin(1_000), `the PBX waited ${Math.round(tookMs)} ms`);
        if (state === 'killed') await server().start();
        else server().process.resume();
        await until(async () => (await readiness(service))[0] === 200, 'the service is ready');
        assert.deepEqual((await callAt(service)).slice(0, 2), ['status=NAK', 'no-device']);
        await until(
          () =>
            // A look at readiness may find it before the one who waits to migrate it has.
            /the database (is available|answers again)/.test(program.output()) &&
            /database migrated/.test(program.output()),
          'both are logged',
        );
        program.stop();
        assert.equal(await program.ended, 0);
      });
    }

    it('a service that still waits for its database stops at once and in order', async (t) => {
      const url = await server().createDatabase();
      await server().kill();
      const program = serve(t, url);
      await program.url();
      program.stop();
      assert.equal(await program.ended, 0);
      await server().start();
    });

    it('what waiting does not help ends the start with a clear line, now or when it shows', async (t) => {
      const url = await server().createDatabase();
      const wrong = (change: Partial<Pick<URL, 'hostname' | 'password'>>) =>
        Object.assign(new URL(url), change).href;
      for (const [address, problem] of [
        [wrong({ password: 'hunter2' }), /refuses this user, password/],
        [wrong({ hostname: 'no-such-host.invalid' }), /no host of this name|cannot be reached/],
      ] as const) {
        const program = serve(t, address);
        if (String(problem).includes('host') && (await isUnresolvable())) continue;
        assert.equal(await program.ended, 2, program.output());
        assert.match(program.output(), problem);
        assert.doesNotMatch(program.output(), /hunter2|listening/);
      }
      const database = await openDatabase(url);
      await migrate(database, { ...allMigrations(database.dialect), '999-future': { up: async () => {} } });
      await database.close();
      const atOnce = serve(t, url);
      assert.equal(await atOnce.ended, 1);
      assert.match(atOnce.output(), /newer version/);
      await server().kill();
      const later = serve(t, url);
      await later.url();
      await server().start();
      assert.equal(await later.ended, 1);
      assert.match(later.output(), /newer version/);
    });

    it('connections that died unnoticed cost no call: the first ones after it ring', async (t) => {
      const address = new URL(await server().createDatabase());
      const relay = await startRelay({ target: Number(address.port), port: 0 });
      t.after(() => relay.close());
      const databaseUrl = Object.assign(address, { port: String(relay.port) }).href;
      const service = await startTestService(t, {
        databaseUrl,
        // Time is not what this is about: a busy machine takes long to open six connections.
        settings: { APP_PUSH_ROUNDTRIP_WAIT: '15000', DATABASE_POOL_SIZE: '6', DATABASE_TIMEOUT: '5000' },
      });
      const phone = await service.phone();
      const callAll = () =>
        Promise.all(Array.from({ length: 20 }, () => service.ask({ account: phone.account })));
      for (let round = 0; round < 3; round += 1) {
        for (const { body, outcome } of await callAll()) assert.equal(body, 'status=ACK', outcome);
        assert.ok(relay.open() > 1, 'several connections are kept');
        relay.resetOnNextByte();
        for (const { body, outcome } of await callAll()) assert.equal(body, 'status=ACK', outcome);
        relay.resetOnNextByte();
        assert.equal((await phone.register()).status, 200);
      }
    });
  });
}

/** A machine whose resolver is away cannot tell that a name does not exist. */
async function isUnresolvable(): Promise<boolean> {
  const { lookup } = await import('node:dns/promises');
  return lookup('no-such-host.invalid').then(
    () => true,
    (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'ENOTFOUND'),
  );
}
