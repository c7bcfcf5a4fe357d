import type { CallOutcome } from '../../calls/call-outcome.ts';
import { PROGRAM } from '../../lib/program.ts';
import type { PushEnded } from '../../push/push-events.ts';

/** What a test call's ending shows, and what its operator should do. */
export interface OutcomeAdvice {
  /** Whether a device was found for the account; undefined where the ending does not tell. */
  readonly deviceFound: boolean | undefined;
  readonly advice: string;
}

/** What to do after each ending of a test call; docs/outcomes.md has more on each. */
export const OUTCOME_ADVICE = {
  ready: { deviceFound: true, advice: 'Nothing to do: the phone was woken and its app is ready for a call.' },
  declined: {
    deviceFound: true,
    advice:
      'Push and answer work; the app said that it cannot take a call now (in a call, or set to unavailable).',
  },
  'timed-out': {
    deviceFound: true,
    advice:
      'The push service took the push, but no answer came: check that the phone is online, that the app may notify, and that the app can reach APP_API_URL.',
  },
  'no-device': {
    deviceFound: false,
    advice: 'No phone is registered for this account: open the app on the phone and log in.',
  },
  'token-gone': {
    deviceFound: true,
    advice:
      'The push token is dead or of another app or environment: open the app so that it registers again; check its app id and whether it is a sandbox build.',
  },
  'push-failed': {
    deviceFound: true,
    advice: `The push service did not take the push: look at the reason, and run: ${PROGRAM} apps check`,
  },
  'provider-down': {
    deviceFound: true,
    advice: `The app's push service is out of order or refuses the app's credential: run: ${PROGRAM} apps check`,
  },
  'push-overloaded': {
    deviceFound: true,
    advice:
      'Too many pushes of this app are in flight: see MAX_PUSHES_IN_FLIGHT, and how fast the push service is.',
  },
  overloaded: {
    deviceFound: true,
    advice: 'Too many calls are waiting: see MAX_WAITING_CALLS and the limit of open files.',
  },
  cancelled: { deviceFound: true, advice: 'Somebody cancelled the call while it waited: try again.' },
  'caller-gone': {
    deviceFound: undefined,
    advice: 'The connection was dropped while the call waited: look at a proxy in between.',
  },
  'shutting-down': { deviceFound: undefined, advice: 'The service is stopping: try again when it runs.' },
  'storage-unavailable': {
    deviceFound: undefined,
    advice: 'The service cannot use its database: look at its log and at DATABASE_URL.',
  },
  'bus-unavailable': {
    deviceFound: undefined,
    advice: 'Redis cannot be used and REDIS_REQUIRED is on; /readyz and the log say why.',
  },
} as const satisfies Record<CallOutcome, OutcomeAdvice>;

/** What to do after each word of a push service about a push that this process sent itself. */
export const VERDICT_ADVICE = {
  accepted: 'The push service took the push. Whether the app answers is only seen through a running service.',
  'token-dead': 'The push token is dead: open the app so that it registers again.',
  'token-suspect':
    'The token does not fit the app or the environment: check the app id and whether it is a sandbox build, then let the app register again.',
  'our-fault':
    'The push service finds fault with the push: if its word is about the topic, the credential is not for this app id.',
  'app-fault': `The app's credential is refused: run: ${PROGRAM} apps check`,
  throttled:
    'Too many pushes were sent to this phone or of this app; with TooManyProviderTokenUpdates, too many tokens were made of the Apple key: wait 20 minutes.',
  unavailable:
    'The push service cannot be reached or does not answer: check network, firewall, APNS_URL, APNS_SANDBOX_URL and FCM_URL.',
  overloaded: 'Too many pushes at once: try again.',
  withdrawn: 'The push was withdrawn: try again.',
  'not-sent': "The app's credential cannot be used: add the app again.",
} as const satisfies Record<PushEnded['verdict'], string>;
