import type { Device } from './device.ts';
import type { DeviceStore } from './device-store.ts';
import type { DeviceRegistration } from './register-device.ts';
import { isTakeover, noticeFor, type TakeoverNotice } from './takeover.ts';

/** How a registration ended; `takeover` is true where another phone held the account until now. */
export type PhoneRegistered =
  | { readonly kind: 'created' | 'updated'; readonly takeover: boolean }
  | { readonly kind: 'unknown-app' };

/** Tells the phone that lost an account; must not wait for it, and must not fail. */
export interface TakeoverNotices {
  tell(previous: Device, notice: Exclude<TakeoverNotice, 'none'>): void;
}

/** Makes the phone the one to wake for its account, and tells the phone that was until now, where that is safe. */
export async function registerPhone(
  deps: {
    readonly devices: Pick<DeviceStore, 'register'>;
    /** Undefined where TAKEOVER_NOTICE is off. */
    readonly notices: TakeoverNotices | undefined;
  },
  phone: DeviceRegistration,
  now: number,
): Promise<PhoneRegistered> {
  const result = await deps.devices.register(phone, now);
  if (result.kind === 'unknown-app') return result;
  if (result.kind === 'created' || !isTakeover(result.previous, result.device)) {
    return { kind: result.kind, takeover: false };
  }
  const notice = noticeFor(result.previous);
  if (notice !== 'none') deps.notices?.tell(result.previous, notice);
  return { kind: 'updated', takeover: true };
}
