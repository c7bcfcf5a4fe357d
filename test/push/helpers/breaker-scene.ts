import assert from 'node:assert/strict';
import { BREAKER_SETTINGS, type Breaker, createBreaker } from '../../../src/push/breaker.ts';
import type { FinalVerdict } from '../../../src/push/push-provider.ts';
import type { DeviceIdentity } from '../../../src/push/suspects.ts';
import { createHandClock } from './provider-fixture.ts';

export const DOWN: FinalVerdict = { kind: 'unavailable', reason: 'ServiceUnavailable' };
export const OK: FinalVerdict = { kind: 'accepted', reason: 'Accepted' };
export const REFUSED: FinalVerdict = { kind: 'app-fault', reason: 'UNAUTHENTICATED' };
export const UNREACHABLE: FinalVerdict = { kind: 'unavailable', reason: 'unreachable', unsent: true };
export const LONG = 4_000;

export function phone(n: number): DeviceIdentity {
  return { account: 100_000_000 + n, token: `token-${n}` };
}
let phones = 0;
export function newPhone(): DeviceIdentity {
  phones += 1;
  return phone(phones);
}

export function scene() {
  const clock = createHandClock();
  const changes: string[] = [];
  const breaker = createBreaker({
    settings: BREAKER_SETTINGS,
    now: clock.now,
    onChange: (state, reason) => changes.push(`${state}: ${reason}`),
  });
  return { clock, breaker, changes };
}

export function push(
  breaker: Breaker,
  verdict: FinalVerdict | undefined,
  device: DeviceIdentity = newPhone(),
  hadMs = LONG,
): boolean {
  const pass = breaker.enter(device);
  assert.ok(pass, 'the breaker lets the push through');
  return pass.end(device, verdict, hadMs);
}

export function opened(verdict = DOWN) {
  const made = scene();
  for (let i = 0; i < 5; i += 1) push(made.breaker, verdict);
  assert.equal(made.breaker.state(), 'open');
  return made;
}
