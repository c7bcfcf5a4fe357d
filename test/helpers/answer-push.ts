import assert from 'node:assert/strict';
import { until } from '../../harness/until.ts';
import type { DeliveredPush } from '../../src/sandbox/push-log.ts';
import type { TestPhone, TestService } from './test-service.ts';

/** The newest push that reached a phone. */
export function newestPush(phone: TestPhone): DeliveredPush {
  const step = phone.steps.findLast((candidate) => candidate.kind === 'push-received');
  assert.ok(step, 'a push reached the phone');
  return step.push;
}

/**
 * The app of a silent phone answers its first push, once the push service's acceptance has come to the service too: a
 * phone that answers by itself may be the faster one.
 */
export async function answerAccepted(service: TestService, phone: TestPhone): Promise<void> {
  await until(() => phone.pushes() > 0, 'a push reached the phone');
  const push = newestPush(phone);
  const call = push.payload['unique_key'];
  await until(
    () => service.logged.some((line) => line.message === 'push accepted' && line.fields['call'] === call),
    'the push service has accepted the push',
  );
  assert.equal((await phone.answer(push)).status, 202);
}

/** A call that rings at a silent phone, whose push the service knows to be accepted. */
export async function ring(service: TestService, phone: TestPhone): Promise<void> {
  const asked = service.ask({ account: phone.account });
  const [{ outcome }] = await Promise.all([asked, answerAccepted(service, phone)]);
  assert.equal(outcome, 'ready');
}
