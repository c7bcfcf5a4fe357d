import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { readdirSync, readlinkSync } from 'node:fs';
import { it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import { newestPush } from '../helpers/answer-push.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { asForm, send } from './http-client.ts';

/** One push a call, and nothing but an answer ends it. */
const PATIENT = { APP_PUSH_ROUNDTRIP_WAIT: '60000', APP_PUSH_RESEND_INTERVAL: '60000' };

/** Counts the timers and immediates of this process that run between start and stop, those made before it too. */
function countTimers(t: TestContext): { start(): void; stop(): number } {
  const kinds = new Set<number>();
  let running = false;
  let count = 0;
  const hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout' || type === 'Immediate') kinds.add(id);
    },
    before: (id) => {
      if (running && kinds.has(id)) count += 1;
    },
  }).enable();
  t.after(() => hook.disable());
  return {
    start: () => {
      count = 0;
      running = true;
    },
    stop: () => {
      running = false;
      return count;
    },
  };
}

async function waitingCalls(service: TestService, howMany: number) {
  const phone = await service.phone({ silent: true });
  const callIds = Array.from({ length: howMany }, (_, index) => `waiting-${index}`);
  const answers = callIds.map((callId) =>
    service.ask({ account: phone.account, callId, timeoutMs: 120_000 }),
  );
  const accepted = 'vialer_middleware_push_accepted_seconds_count{provider="fcm"}';
  await until(async () => (await service.metric(accepted)) === howMany, 'every call has pushed');
  return {
    end: async () => {
      for (const call_id of callIds)
        await send(service.url, { path: '/api/call-cancelled/', ...asForm({ call_id }) });
      return Promise.all(answers);
    },
  };
}

it('row 16: calls that wait do nothing until something happens to them', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const timers = countTimers(t);
  const calls = await waitingCalls(service, 200);
  assert.equal(service.running.waiting(), 200);
  timers.start();
  await delay(1_000);
  const ran = timers.stop();
  const ended = await calls.end();
  assert.ok(ended.every((answer) => answer.outcome === 'cancelled'));
  // Polling each call, even once a second, would be at least 200; the reference's 10 ms would be 20,000.
  assert.ok(ran < 100, `${ran} timers ran in a second in which nothing happened`);
});

it("row 16: the PBX hears the app's word at once, not at the next look", async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const timers = countTimers(t);
  const phone = await service.phone({ silent: true });
  const seen: number[] = [];
  for (let call = 1; call <= 40; call += 1) {
    const asked = service.ask({ account: phone.account });
    await until(() => phone.pushes() === call, 'the phone is pushed');
    timers.start();
    await Promise.all([phone.answer(newestPush(phone)), asked]);
    seen.push(timers.stop());
    assert.equal((await asked).body, 'status=ACK');
  }
  // A timer of something else may run meanwhile; where the answer itself waits for one, there is one in every call.
  const atOnce = seen.filter((ran) => ran === 0).length;
  assert.ok(atOnce > 0, `timers that ran between the app's word and the PBX's: ${seen.join(', ')}`);
});

const onLinux = { skip: process.platform === 'linux' ? false : 'open files are listed on Linux only' };

it('row 16: requests open no connections to the database that stay', onLinux, async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const file = service.databaseUrl.slice('sqlite:'.length);
  const open = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(file);
      } catch {
        // The descriptor that reads the folder is gone by now.
        return false;
      }
    }).length;
  const phone = await service.phone();
  await service.ask({ account: phone.account });
  const before = open();
  assert.ok(before > 0);
  for (let round = 0; round < 20; round += 1) {
    await Promise.all([phone.register(), service.ask({ account: phone.account }), phone.register()]);
  }
  assert.equal(open(), before);
});
