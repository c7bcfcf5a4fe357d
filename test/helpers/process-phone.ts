import assert from 'node:assert/strict';
import type { Agent } from 'node:http';
import { createPhone, type Phone } from '../../src/sandbox/phone.ts';
import type { ServiceProcess } from './service-process.ts';

/** The account of the phone. */
export const ACCOUNT = 200_000_001;

/** An iPhone that is registered with a service process and answers each push after `wakeUpMs`. */
export async function addPhone(
  service: ServiceProcess,
  wakeUpMs: number,
  agent?: Agent,
): Promise<Phone & { readonly account: number }> {
  const { token: authorization } = service.world.platform.addUser({
    account: ACCOUNT,
    user: 'user@example.com',
    password: 'pw',
    token: 'platform-token',
  });
  const phone = createPhone({
    kind: 'ios',
    account: ACCOUNT,
    token: 'ab'.repeat(32),
    app: 'com.example.phone',
    server: service.url,
    authorization,
    wakeUpMs,
    ...(agent === undefined ? {} : { agent }),
  });
  assert.equal((await phone.register()).status, 201);
  phone.listen(service.world.apple);
  return { ...phone, account: ACCOUNT };
}
