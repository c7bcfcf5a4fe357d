import { randomInt, randomUUID } from 'node:crypto';

/** Where the last part of a UUID starts. */
const LAST_PART = 24;
/** Hexadecimal digits of it. */
const DIGITS = 12;

/** This process's own: 74 random bits. */
const prefix = randomUUID().slice(0, LAST_PART);
let count = randomInt(2 ** 32);

/**
 * A UUID that no other push has (Apple asks for that form in `apns-id`; RFC 9562, section 4). Its last part is counted up: a
 * wholly random one costs each call several µs, and nothing depends on its being hard to guess.
 */
export function newPushId(): string {
  count += 1;
  return prefix + count.toString(16).padStart(DIGITS, '0');
}
