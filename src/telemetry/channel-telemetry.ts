import type { ChannelEvents } from '../http2/channel-types.ts';
import type { Conditions } from './conditions.ts';
import type { LineBudget } from './line-budget.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** Log line and metric of the connections to push services. */
export function createChannelTelemetry({
  metrics,
  lines,
  conditions,
}: {
  readonly metrics: ServiceMetrics;
  readonly lines: LineBudget;
  readonly conditions: Conditions;
}): ChannelEvents {
  return {
    channelConnected: ({ origin, tookMs }) => {
      metrics.channelConnects.inc({ origin });
      metrics.channelConnections.inc({ origin });
      lines.write(`connected ${origin}`, 'info', 'connected to push service', {
        origin,
        tookMs: Math.round(tookMs),
      });
      conditions.over(`connect ${origin}`, 'push service can be reached again', { origin });
    },
    channelConnectFailed: ({ origin, error, retryInMs }) => {
      metrics.channelConnectFailures.inc({ origin });
      conditions.met({
        key: `connect ${origin}`,
        level: 'error',
        message: 'push service cannot be reached',
        fields: { origin, error: error.message, retryInMs: Math.round(retryInMs) },
        ends: 'by-event',
      });
    },
    channelLost: ({ origin, cause, detail, inFlight, dismissed }) => {
      metrics.channelLosses.inc({ origin, cause });
      metrics.channelConnections.dec({ origin });
      lines.write(
        `lost ${origin} ${cause}`,
        cause === 'ping-timeout' || dismissed === true ? 'warn' : 'info',
        `connection to push service ended: ${cause}`,
        { origin, detail, inFlight },
      );
    },
  };
}
