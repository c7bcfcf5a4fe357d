import { randomFillSync } from 'node:crypto';
import type { Platform } from '../apps/platform.ts';

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

/** 32 lower-case hex digits, 128 random bits: what the reference made (`%032x`). */
export function newUniqueKey(): string {
  return randomHex(KEY_BYTES);
}

/** Random bytes, at most 4,096, as lower-case hex digits; they are drawn in blocks. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const hex = pool.toString('hex', used, used + bytes);
  used += bytes;
  return hex;
}
