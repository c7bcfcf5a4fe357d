import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import type { AnswerFault } from '../../src/sandbox/faults.ts';
import { newestPush } from '../helpers/answer-push.ts';
import { startTestService, type TestPhone, type TestService } from '../helpers/test-service.ts';
import { registerWithoutEnvironment } from '../providers/registration.ts';
import { appleAnswer, googleAnswer } from '../providers/scripted-answers.ts';

/** A push every 300 ms, and time enough for a busy machine. */
const OFTEN = { APP_PUSH_ROUNDTRIP_WAIT: '20000', APP_PUSH_RESEND_INTERVAL: '300' };

interface Row {
  readonly name: string;
  readonly kind: 'ios' | 'android';
  readonly refusal: AnswerFault;
}

const ROWS: readonly Row[] = [
  { name: 'Apple says 410', kind: 'ios', refusal: appleAnswer(410, 'Unregistered') },
  { name: 'Apple says 500', kind: 'ios', refusal: appleAnswer(500, 'InternalServerError') },
  { name: 'Google says 404', kind: 'android', refusal: googleAnswer(404, 'UNREGISTERED') },
  { name: 'Google says 500', kind: 'android', refusal: googleAnswer(500, 'INTERNAL') },
];

/** A silent phone that may be pushed more than once for a call. */
async function silentPhone(service: TestService, kind: Row['kind']): Promise<TestPhone> {
  const phone = await service.phone({ kind, silent: true, register: kind === 'android' });
  // The stand-in's iPhone asks for one push for each call.
  if (kind === 'ios') await registerWithoutEnvironment(service, phone, 'com.example.phone');
  return phone;
}

function pushService({ world }: TestService, kind: Row['kind']) {
  return kind === 'ios' ? world.apple : world.google;
}

/** The pushes that the service knows to have failed. */
function refused({ logged }: TestService) {
  return logged.filter(({ message }) => message === 'push failed' || message === 'push token-gone').length;
}

function accepted({ logged }: TestService) {
  return logged.some(({ message }) => message === 'push accepted');
}

describe('a resend that is refused', { concurrency: true }, () => {
  for (const { name, kind, refusal } of ROWS) {
    it(`does not end a call whose first push was accepted (${name})`, async (t) => {
      const service = await startTestService(t, { settings: OFTEN });
      const phone = await silentPhone(service, kind);
      const asked = service.ask({ account: phone.account });
      await until(() => accepted(service), 'the first push is accepted');
      pushService(service, kind).script(refusal);
      await until(() => refused(service) > 0, 'a resend is refused');
      assert.equal((await phone.answer(newestPush(phone))).status, 202);
      assert.deepEqual((({ body, outcome }) => [body, outcome])(await asked), ['status=ACK', 'ready']);
    });

    it(`does not end a call whose first push is under way (${name})`, async (t) => {
      const service = await startTestService(t, { settings: OFTEN });
      const phone = await silentPhone(service, kind);
      const there = pushService(service, kind);
      there.script({ kind: 'hang' }, { times: 1, delivered: true });
      there.script(refusal);
      const asked = service.ask({ account: phone.account });
      await until(() => refused(service) > 0, 'a resend is refused');
      assert.equal((await phone.answer(newestPush(phone))).status, 202);
      assert.deepEqual((({ body, outcome }) => [body, outcome])(await asked), ['status=ACK', 'ready']);
    });
  }

  for (const { name, kind, refusal } of ROWS.filter(({ refusal }) => refusal.status !== 500)) {
    it(`because the token is dead is the last one of its call (${name})`, async (t) => {
      const service = await startTestService(t, { settings: OFTEN });
      const phone = await silentPhone(service, kind);
      const there = pushService(service, kind);
      const asked = service.ask({ account: phone.account });
      await until(() => accepted(service), 'the first push is accepted');
      there.script(refusal);
      await until(() => refused(service) > 0, 'a resend is refused');
      // One that was on its way meanwhile arrives; then three more would have been due.
      await delay(1_000);
      const pushed = there.requests.count();
      await delay(1_000);
      assert.equal(there.requests.count(), pushed);
      assert.equal((await phone.answer(newestPush(phone))).status, 202);
      assert.equal((await asked).outcome, 'ready');
    });
  }
});
