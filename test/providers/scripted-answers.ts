import type { AnswerFault } from '../../src/sandbox/faults.ts';
import type { TestPhone, TestService } from '../helpers/test-service.ts';

/** The requests for one phone that Apple's production environment has seen, oldest first. */
export function askedOfApple(service: TestService, phone: TestPhone) {
  return service.world.apple.requests.list().filter((request) => request.token === phone.token);
}

/** The requests for one phone that Google has seen, oldest first. */
export function askedOfGoogle(service: TestService, phone: TestPhone) {
  return service.world.google.requests.list().filter((request) => request.token === phone.token);
}

/** An answer of Apple's. */
export function appleAnswer(
  status: number,
  reason: string,
  more: Pick<AnswerFault, 'timestamp' | 'retryAfter'> = {},
): AnswerFault {
  return { kind: 'answer', status, reason, ...more };
}

/** An answer of Google's; `detail` as in a scripted fault. */
export function googleAnswer(
  status: number,
  reason: string,
  more: Pick<AnswerFault, 'detail' | 'retryAfter'> = {},
): AnswerFault {
  return { kind: 'answer', status, reason, ...more };
}
