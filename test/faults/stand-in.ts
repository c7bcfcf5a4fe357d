import type { Apple } from '../../src/sandbox/apple.ts';
import type { Google } from '../../src/sandbox/google.ts';
import type { TestService } from '../helpers/test-service.ts';

/** The two kinds of phones, by which a fault's two places are told apart. */
export const KINDS = ['ios', 'android'] as const;

/** The push service that a kind of phone is woken through. */
export function standIn({ world }: TestService, kind: (typeof KINDS)[number]): Apple | Google {
  return kind === 'ios' ? world.apple : world.google;
}

/** The app of the phones that a test makes, as the metrics and the log name it. */
export const APP = 'com.example.phone';
