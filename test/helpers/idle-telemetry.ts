import { createTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts';

type Options = Parameters<typeof createTelemetry>[0];

/** Telemetry of a service that does nothing, and writes no log. */
export function idleTelemetry(options: Partial<Options> = {}): Telemetry {
  return createTelemetry({
    openLog: () => ({ isOn: () => false, write: () => {}, writeError: () => {}, flush: () => {} }),
    dockerTag: 'x',
    load: {
      callsWaiting: () => 0,
      connections: async () => 0,
      pushesInFlight: () => [],
      loop: { delayMs: 0, late: false },
    },
    limits: { callsWaiting: 1, connections: 1, pushesInFlight: 1, loopDelayMs: 250 },
    origins: ['https://push.example.org'],
    countDevices: async () => [],
    usesRedis: false,
    ...options,
  });
}
