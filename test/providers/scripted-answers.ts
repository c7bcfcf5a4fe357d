import type { AnswerFault } from '../../src/sandbox/faults.ts';
import type { TestPhone, TestService } from '../helpers/test-service.ts';

/** The requests for one phone that Apple's production environment has seen, oldest first. */
export const askedOfApple = (service: TestService, phone: TestPhone) =>
  service.world.apple.requests.list().filter((request) => request.token === phone.token);

/** The requests for one phone that Google has seen, oldest first. */
export const askedOfGoogle = (service: TestService, phone: TestPhone) =>
  service.world.google.requests.list().filter((request) => request.token === phone.token);

/** An answer of Apple's. */
export const appleAnswer = (
  status: number,
  reason: string,
  more: Pick<AnswerFault, 'timestamp' | 'retryAfter'> = {},
): AnswerFault => ({ kind: 'answer', status, reason, ...more });

/** An answer of Google's; `detail` as in a scripted fault. */
export const googleAnswer = (
  status: number,
  reason: string,
  more: Pick<AnswerFault, 'detail' | 'retryAfter'> = {},
): AnswerFault => ({ kind: 'answer', status, reason, ...more });
