import { randomFillSync } from 'node:crypto';
import type { Platform } from '../devices/device.ts';

const UUID_OR_32_HEX = /^(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

/**
 * Whether an app of this platform can take the PBX's call_id as `unique_key`. iOS apps make CallKit's UUID of it
 * and crash on anything that is not a UUID or 32 hex digits; Google's platforms take any string.
 */
export function canCarry(platform: Platform, callId: string): boolean {
  switch (platform) {
    case 'apns':
      return UUID_OR_32_HEX.test(callId);
    case 'android':
    case 'gcm':
      return true;
    default:
      return platform satisfies never;
  }
}

const KEY_BYTES = 16;
const pool = Buffer.alloc(KEY_BYTES * 256);
let used = pool.length;

/** 32 lower-case hex digits, 128 random bits: what the reference made (`%032x`). Random bytes are drawn in blocks. */
export function newUniqueKey(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const key = pool.toString('hex', used, used + KEY_BYTES);
  used += KEY_BYTES;
  return key;
}
