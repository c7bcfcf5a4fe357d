import { InvalidArgumentError } from 'commander';
import type { Fault } from '../../sandbox/faults.ts';
import { registrableToken } from '../registrable-token.ts';

/** What the phones of the sandbox do when they are pushed, and what push services say to their tokens. */
export const PHONE_BEHAVIOURS = ['answers', 'silent', 'declines', 'slow', 'dead-token', 'refused'] as const;

export type PhoneBehaviour = (typeof PHONE_BEHAVIOURS)[number];

/** One `--phone`: for a push token, or for all that have no rule of their own. */
export interface PhoneRule {
  readonly token: string | undefined;
  readonly behaviour: PhoneBehaviour;
}

/** Reads `BEHAVIOUR` or `TOKEN=BEHAVIOUR`. Throws as option parsers do. */
export function readPhoneRule(text: string): PhoneRule {
  const at = text.lastIndexOf('=');
  const behaviour = PHONE_BEHAVIOURS.find((each) => each === text.slice(at + 1));
  if (behaviour === undefined || at === 0) {
    throw new InvalidArgumentError(
      `It must be one of ${PHONE_BEHAVIOURS.join(', ')}, or TOKEN= before one of them.`,
    );
  }
  return { token: at === -1 ? undefined : registrableToken(text.slice(0, at)), behaviour };
}

/** The rules and one more. Throws as option parsers do if it would take the place of one of them. */
export function withPhoneRule(rules: readonly PhoneRule[], rule: PhoneRule): readonly PhoneRule[] {
  if (!rules.some(({ token }) => token === rule.token)) return [...rules, rule];
  const what = rule.token === undefined ? 'all phones do' : 'this phone does';
  throw new InvalidArgumentError(`An earlier --phone already says what ${what}.`);
}

/** The behaviour of the phone with a push token; `none`: no phone of ours. */
export function behaviourFor(
  rules: readonly PhoneRule[] | 'none',
): (token: string) => PhoneBehaviour | 'none' {
  if (rules === 'none') return () => 'none';
  const byToken = new Map(rules.map(({ token, behaviour }) => [token, behaviour]));
  const general = byToken.get(undefined) ?? 'answers';
  return (token) => byToken.get(token) ?? general;
}

/** No registration is later than this death, so the service forgets the phone. */
const FOR_GOOD = Date.UTC(2100, 0, 1);

const APPLE_SAYS: Partial<Record<PhoneBehaviour | 'none', Fault>> = {
  'dead-token': { kind: 'answer', status: 410, reason: 'Unregistered', timestamp: FOR_GOOD },
  refused: { kind: 'answer', status: 400, reason: 'TopicDisallowed' },
};

const GOOGLE_SAYS: Partial<Record<PhoneBehaviour | 'none', Fault>> = {
  'dead-token': { kind: 'answer', status: 404, reason: 'UNREGISTERED' },
  refused: { kind: 'answer', status: 401, reason: 'THIRD_PARTY_AUTH_ERROR' },
};

/** What each push service answers to a push for a phone that behaves so; undefined: it accepts the push. */
export function refusalFor(push: 'apns' | 'fcm', behaviour: PhoneBehaviour | 'none'): Fault | undefined {
  return (push === 'apns' ? APPLE_SAYS : GOOGLE_SAYS)[behaviour];
}
