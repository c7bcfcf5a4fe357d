import { Gauge, type Registry } from 'prom-client';

/** How late the event loop is, and whether new calls are turned away for it. */
export interface LoopFigures {
  readonly delayMs: number;
  readonly late: boolean;
}

/** Pushes of one app that are in flight. */
export interface PushesInFlight {
  readonly appId: string;
  readonly platform: string;
  readonly inFlight: number;
}

/** What is bounded, as it is now; read at each scrape. */
export interface LoadFigures {
  readonly callsWaiting: () => number;
  /** Connections of PBXs and apps. */
  readonly connections: () => Promise<number>;
  readonly pushesInFlight: () => readonly PushesInFlight[];
  readonly loop: LoopFigures;
}

/** The bounds of the settings. */
export interface LoadLimits {
  readonly callsWaiting: number;
  readonly connections: number;
  /** For each app. */
  readonly pushesInFlight: number;
  /** 0: none. */
  readonly loopDelayMs: number;
}

/** A gauge for each thing that a setting bounds, and its bound beside it as `…_limit`. */
export function createLimitGauges(registry: Registry, read: LoadFigures, limits: LoadLimits): void {
  const gauge = (name: string, help: string, value: () => number | Promise<number>) =>
    new Gauge({
      name: `vialer_middleware_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.set(await value());
      },
    });
  const limit = (name: string, setting: string, value: number) =>
    gauge(name, `The setting ${setting}.`, () => value);

  gauge(
    'calls_waiting',
    'Requests of PBXs that wait for a device, including those that joined a waiting call.',
    read.callsWaiting,
  );
  limit('calls_waiting_limit', 'MAX_WAITING_CALLS', limits.callsWaiting);
  gauge('connections', 'Connections of PBXs and apps.', read.connections);
  limit('connections_limit', 'MAX_CONNECTIONS', limits.connections);
  new Gauge({
    name: 'vialer_middleware_pushes_in_flight',
    help: 'Pushes that are sent or wait to be sent.',
    labelNames: ['app', 'platform'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { appId: app, platform, inFlight } of read.pushesInFlight())
        this.inc({ app, platform }, inFlight);
    },
  });
  limit('pushes_in_flight_limit', 'MAX_PUSHES_IN_FLIGHT, which holds for each app', limits.pushesInFlight);
  gauge(
    'event_loop_delay_seconds',
    'How late the event loop is: what EVENT_LOOP_LIMIT is compared with.',
    () => read.loop.delayMs / 1000,
  );
  limit('event_loop_delay_limit_seconds', 'EVENT_LOOP_LIMIT; 0: none', limits.loopDelayMs / 1000);
  gauge('shedding', '1 while new calls are turned away because the event loop is late.', () =>
    read.loop.late ? 1 : 0,
  );
}
