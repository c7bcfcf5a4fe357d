import { integer, oneOf } from './parsers.ts';
import type { Parse, SettingsReader } from './settings-reader.ts';

/** What an app's answer must prove; made of the secret that signs, and a second one that only verifies. */
export interface AnswerProofSettings {
  readonly secret: string;
  readonly otherSecret: string | undefined;
  readonly carrier: 'address' | 'key';
  /** False: pushes carry the proof, and answers without it are still taken. */
  readonly demanded: boolean;
}

/** How the service lives with load and with enemies. */
export interface ProtectionSettings {
  /** Answers to unknown calls that one address may give in a minute; 0: any number. */
  readonly unknownAnswersPerMinute: number;
  /** Refused credentials of one address and account in a minute; 0: any number. */
  readonly failedAuthPerMinute: number;
  /** Registrations and removals of one account in a minute; 0: any number. */
  readonly registrationsPerMinute: number;
  /** Milliseconds that the event loop may be late before new calls are turned away; 0: any. */
  readonly eventLoopLimitMs: number;
  /** Undefined: an answer needs to know the key of its call and nothing else. */
  readonly answerProof: AnswerProofSettings | undefined;
}

/** Different characters of a secret; of 32 random hexadecimal digits 14 are, and fewer than 8 once in 28 million times. */
const VARIETY = 8;

/** A secret that nobody can guess; made by a machine. */
const secret: Parse<string> = (value) =>
  /^[\x21-\x7e]{32,512}$/.test(value) && new Set(value).size >= VARIETY
    ? { value }
    : {
        expected:
          'must be 32 to 512 visible ASCII characters without spaces, as `openssl rand -base64 32` makes them',
      };

/** Reads `ANSWER_…`, `LIMIT_…` and `EVENT_LOOP_LIMIT`. */
export function readProtectionSettings(reader: SettingsReader): ProtectionSettings {
  return {
    answerProof: readAnswerProof(reader),
    unknownAnswersPerMinute: reader.read('LIMIT_UNKNOWN_ANSWERS', '120', integer(0, 100_000)),
    failedAuthPerMinute: reader.read('LIMIT_FAILED_AUTH', '20', integer(0, 100_000)),
    registrationsPerMinute: reader.read('LIMIT_REGISTRATIONS', '60', integer(0, 100_000)),
    eventLoopLimitMs: reader.read('EVENT_LOOP_LIMIT', '250', integer(0, 10_000, 'milliseconds')),
  };
}

function readAnswerProof(reader: SettingsReader): AnswerProofSettings | undefined {
  const signing = reader.readSecret('ANSWER_SECRET', secret);
  const otherSecret = reader.readSecret('ANSWER_SECRET_OTHER', secret);
  const proof = reader.read('ANSWER_PROOF', 'address', oneOf('address', 'key', 'optional', 'optional-key'));
  if (signing === undefined) {
    if (!reader.isSet('ANSWER_SECRET') && (otherSecret !== undefined || reader.isSet('ANSWER_PROOF'))) {
      reader.problem('ANSWER_SECRET must be set where ANSWER_SECRET_OTHER or ANSWER_PROOF is');
    }
    return undefined;
  }
  return {
    secret: signing,
    otherSecret,
    carrier: proof === 'key' || proof === 'optional-key' ? 'key' : 'address',
    demanded: proof === 'key' || proof === 'address',
  };
}
