import assert from 'node:assert/strict';
import type { LoggedLine, TestPhone, TestService } from '../helpers/test-service.ts';

function headersOf(service: TestService, account: number): Record<string, string> {
  const user = `user${account}@example.com`;
  const { token } = service.world.platform.addUser({
    account,
    user,
    password: 'pw',
    token: 'platform-token',
  });
  return { authorization: token, 'content-type': 'application/json' };
}

/** Whether the service still knows a phone of the account: what check-in answers. */
export async function isRegistered(service: TestService, { account }: TestPhone): Promise<boolean> {
  const response = await fetch(`${service.url}/api/check-in/`, {
    method: 'POST',
    headers: headersOf(service, account),
    body: JSON.stringify({ sip_user_id: account }),
  });
  await response.arrayBuffer();
  assert.ok(response.status === 200 || response.status === 404, `check-in was answered ${response.status}`);
  return response.status === 200;
}

/** Registers an iPhone whose app does not say which of Apple's environments its token is of. */
export async function registerWithoutEnvironment(
  service: TestService,
  { account, token }: Pick<TestPhone, 'account' | 'token'>,
  appId: string,
  expected: 200 | 201 = 201,
): Promise<void> {
  const response = await fetch(`${service.url}/api/apns-device/`, {
    method: 'POST',
    headers: headersOf(service, account),
    body: JSON.stringify({ sip_user_id: String(account), token, app: appId }),
  });
  await response.arrayBuffer();
  assert.equal(response.status, expected);
}

/** The log lines that concern one app. */
export function linesOf(service: TestService, appId: string): LoggedLine[] {
  return service.logged.filter((line) => line.fields['app'] === appId);
}

/** The alarms for one app: what an operator is to look at. */
export function alarmsOf(service: TestService, appId: string): LoggedLine[] {
  return linesOf(service, appId).filter((line) => line.level === 'error');
}
