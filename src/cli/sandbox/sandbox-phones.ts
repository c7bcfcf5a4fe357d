import { createPhone, type PhoneOptions, type PhoneStep } from '../../sandbox/phone.ts';
import type { PhoneKind } from '../../sandbox/phone-app.ts';
import type { PushSource } from '../../sandbox/push-log.ts';
import { PHONE_BEHAVIOURS, type PhoneBehaviour } from './sandbox-phone-rules.ts';

/** Milliseconds from a push to the answer of a phone that is slow: longer than a call waits by default. */
const SLOW_MS = 6_000;

const SETUP: Readonly<Record<PhoneBehaviour, Partial<PhoneOptions>>> = {
  answers: { wakeUpMs: 600 },
  silent: { silent: true },
  declines: { wakeUpMs: 600, available: false },
  slow: { wakeUpMs: SLOW_MS },
  // Their pushes are refused, so that none arrives.
  'dead-token': { silent: true },
  refused: { silent: true },
};

/** Lets every push token of a push service behave as a phone; `behaviourOf` says how. Ends with the source. */
export function startPhones(
  kind: PhoneKind,
  source: PushSource,
  behaviourOf: (token: string) => PhoneBehaviour | 'none',
  say: (words: string) => void,
): void {
  for (const behaviour of PHONE_BEHAVIOURS) {
    const setup = SETUP[behaviour];
    const phone = createPhone({
      kind,
      // No push names its account, and the service looks at none in an answer.
      account: 100_000_000,
      token: '',
      app: '',
      server: '',
      authorization: '',
      onStep: (step) => {
        const words = stepWords(step, setup.available !== false);
        if (words !== undefined) say(words);
      },
      ...setup,
    });
    phone.listen({
      ...source,
      onPush: (_token, handler) =>
        source.onAnyPush((push) => {
          if (behaviourOf(push.token) === behaviour) handler(push);
        }),
    });
  }
}

function stepWords(step: PhoneStep, available: boolean): string | undefined {
  switch (step.kind) {
    case 'push-received':
      return undefined;
    case 'push-ignored':
      return step.why === 'duplicate'
        ? 'the app ignores the push: it knows this call'
        : 'the app ignores the push: it is not a call';
    case 'crashed':
      return `the app crashes: ${step.field} is missing or of the wrong type`;
    case 'answering':
      return `the app answers available=${available}`;
    case 'answered':
      return `the service replies ${step.status}${step.status === 404 ? ': no call waits for this answer' : ''}`;
    case 'answer-failed':
      return 'the app cannot reach the service with its answer';
    default:
      return step satisfies never;
  }
}
