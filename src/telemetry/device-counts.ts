import { Gauge, type Registry } from 'prom-client';
import type { AppLabel } from './app-label.ts';

/** Registered devices of an app. */
export interface DeviceCount {
  readonly appId: string;
  readonly platform: string;
  readonly devices: number;
}

/** Milliseconds between two counts, and how many times as long as the last one took they are apart at least. */
const EVERY_MS = 60_000;
const SPARING = 1_000;

/**
 * The gauge of registered devices. A scrape shows the last count and never waits for one: it starts the next where the last
 * is a minute old, or older where counting takes long (a thousandth of the time is spent on it). One count is under way at
 * most; while the database does not answer, the last figures stay.
 */
export function createDeviceCounts(
  registry: Registry,
  label: AppLabel,
  /** Rejects where the database cannot be asked; whoever asks it tells of that. */
  count: () => Promise<readonly DeviceCount[]>,
): { /** Counts now, unless that is under way. Never rejects. */ refresh(): Promise<void> } {
  let counting: Promise<void> | undefined;
  let nextAt = 0;

  const gauge = new Gauge({
    name: 'vialer_middleware_devices',
    help: 'Registered devices, counted in the database: every instance reports the same.',
    labelNames: ['app', 'platform'],
    registers: [registry],
    collect() {
      if (performance.now() >= nextAt) void refresh();
    },
  });
  const run = async (): Promise<void> => {
    const began = performance.now();
    try {
      const counts = await count();
      gauge.reset();
      for (const { appId, platform, devices } of counts) gauge.inc({ app: label(appId), platform }, devices);
    } catch {
      // The probe of each scrape tells that the database does not answer.
    } finally {
      const now = performance.now();
      nextAt = now + Math.max(EVERY_MS, SPARING * (now - began));
      counting = undefined;
    }
  };
  const refresh = (): Promise<void> => {
    counting ??= run();
    return counting;
  };
  return { refresh };
}
