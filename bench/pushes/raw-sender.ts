import { once } from 'node:events';
import { connectRaw } from '../limit/raw-push.ts';
import type { PhoneWorld } from '../phones/phones-process.ts';
import type { PushCall } from './push-call.ts';

/** `node:http2` with nothing around it. */
export async function createRawSender({ settings, ca }: PhoneWorld): Promise<PushCall> {
  const push = connectRaw({ apple: settings['APNS_URL'] ?? '', google: settings['FCM_URL'] ?? '', ca });
  return async ({ account, uniqueKey }) => {
    const stream = push({
      account: String(account),
      uniqueKey,
      phoneNumber: '+31201234567',
      callerId: 'Alice Example',
      responseApi: 'http://127.0.0.1:8080/api/call-response/',
    });
    await once(stream, 'close');
  };
}
