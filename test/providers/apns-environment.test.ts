import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { newestPush } from '../helpers/answer-push.ts';
import { startTestService } from '../helpers/test-service.ts';
import { registerWithoutEnvironment } from './registration.ts';
import { appleAnswer } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

const NEW_TOKEN = 'ab'.repeat(32);

it('the environment that was learnt of a token is not noted for the one that replaced it meanwhile', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const { apple, appleSandbox } = service.world;
  const phone = await service.phone({ kind: 'ios', register: false, sandbox: true, silent: true });
  await registerWithoutEnvironment(service, phone, 'com.example.phone');
  apple.script(appleAnswer(400, 'BadDeviceToken'), { token: phone.token });
  appleSandbox.script({ kind: 'slow-body', ms: 1_000 }, { token: phone.token });
  const asked = service.ask({ account: phone.account });
  await until(() => appleSandbox.requests.count() === 1, 'the other environment is asked');
  await registerWithoutEnvironment(service, { ...phone, token: NEW_TOKEN }, 'com.example.phone', 200);
  await until(
    () => service.logged.some(({ message }) => message === 'push accepted'),
    'the environment of the old token is known',
  );
  assert.equal((await phone.answer(newestPush(phone))).status, 202);
  assert.equal((await asked).outcome, 'ready');
  const hangUp = new AbortController();
  const again = service.ask({ account: phone.account, signal: hangUp.signal });
  const isNew = ({ token }: { readonly token: string }) => token === NEW_TOKEN;
  await until(
    () => [apple, appleSandbox].some(({ requests }) => requests.list().some(isNew)),
    'the new token is pushed',
  );
  hangUp.abort();
  await assert.rejects(again);
  assert.equal(apple.requests.list().filter(isNew).length, 1, 'as one of which nothing is known');
});
