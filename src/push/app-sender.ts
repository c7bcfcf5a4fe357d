import type { App } from '../apps/app.ts';
import type { PushTarget } from '../devices/device.ts';
import type { Clock } from '../lib/clock.ts';
import { BREAKER_SETTINGS, type Breaker, createBreaker } from './breaker.ts';
import type { AppLabels, SenderEvents } from './push-events.ts';
import type { PushEnvironment, PushProvider } from './push-provider.ts';
import { createTokenGuard, type TokenGuard } from './token-guard.ts';

/** What one app has to itself, so that it fails alone: its provider, its breakers, its guard, its bound. */
export interface AppSender {
  readonly app: App;
  readonly labels: AppLabels;
  /** Undefined when nothing can be made of the app's credential. */
  readonly provider: PushProvider | undefined;
  readonly guard: TokenGuard;
  /** Pushes in flight. */
  readonly inFlight: number;
  /** The environment's own, because a key or certificate may be refused in one of them. */
  breakerFor(device: PushTarget): Breaker;
  /** False at the bound; every true needs a `leave`. */
  enter(): boolean;
  leave(): void;
  /**
   * Takes the app out of use: its breakers are not told of any more, and the provider closes when nothing is in flight;
   * events tell of a failure.
   */
  retire(): Promise<void>;
  /** Closes the provider now: what is in flight ends as `unavailable`. */
  close(): Promise<void>;
}

/** Parts of an app's sender. */
export interface AppSenderOptions {
  readonly app: App;
  readonly provider: PushProvider | undefined;
  readonly clock: Clock;
  readonly events: SenderEvents;
  readonly maxInFlight: number;
}

/** Makes an app's sender with closed breakers. */
export function createAppSender(options: AppSenderOptions): AppSender {
  const { app, provider, clock, events } = options;
  const labels: AppLabels = { app: app.key, appId: app.appId, platform: app.platform };
  let inFlight = 0;
  let retired = false;
  let idle: (() => void) | undefined;
  let closing: Promise<void> | undefined;

  const breaker = (environment: PushEnvironment): Breaker =>
    createBreaker({
      settings: BREAKER_SETTINGS,
      now: clock.now,
      onChange: (state, reason, detail) => {
        // A changed app's successor has the same labels: the old one's late pushes must not speak for it.
        if (retired) return;
        events.breakerChanged({
          ...labels,
          environment,
          state,
          reason,
          ...(detail !== undefined && { detail }),
        });
      },
    });
  const breakers = { production: breaker('production'), sandbox: breaker('sandbox') };
  provider?.watch((environment, way) => breakers[environment].revive(way));

  async function closeNow(): Promise<void> {
    try {
      await provider?.close();
    } catch (error) {
      events.appCloseFailed({ ...labels, error });
    }
  }
  const close = (): Promise<void> => {
    closing ??= closeNow();
    return closing;
  };

  return {
    app,
    labels,
    provider,
    guard: createTokenGuard(clock.now),
    get inFlight() {
      return inFlight;
    },
    breakerFor: (device) => breakers[provider?.environmentOf(device) ?? 'production'],
    enter: () => {
      if (inFlight >= options.maxInFlight) return false;
      inFlight += 1;
      return true;
    },
    leave: () => {
      inFlight -= 1;
      if (inFlight === 0) idle?.();
    },
    retire: async () => {
      retired = true;
      events.appRetired(labels);
      if (inFlight > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
      await close();
    },
    close,
  };
}
