import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { createHttp2Channel, type Http2ChannelOptions } from '../../../src/http2/channel.ts';
import { PingPace } from '../../../src/http2/channel-pace.ts';
import type {
  Channel,
  ChannelEvents,
  ChannelReply,
  ChannelRequest,
} from '../../../src/http2/channel-types.ts';

type Lost = Parameters<ChannelEvents['channelLost']>[0];
type Failed = Parameters<ChannelEvents['channelConnectFailed']>[0];

/** A channel under test and what it told of itself. */
export interface TestChannel extends Channel {
  readonly connected: number[];
  readonly failed: Failed[];
  readonly lost: Lost[];
  /** Sends `/3/device/<body>` with the body, by default within 5 s. */
  push(
    body: string,
    options?: { readonly withinMs?: number } & Partial<ChannelRequest>,
  ): Promise<ChannelReply>;
}

/** What a test's channel is made of; bounds that it does not set are out of the way. */
export type TestChannelOptions = Partial<Omit<Http2ChannelOptions, 'events' | 'origin'>>;

/** Makes a channel that records its events. */
export function openChannel(origin: string, options: TestChannelOptions = {}): TestChannel {
  const connected: number[] = [];
  const failed: Failed[] = [];
  const lost: Lost[] = [];
  const channel = createHttp2Channel({
    origin,
    pace: new PingPace(),
    maxInFlight: 1_000,
    maxQueue: 1_000,
    ...options,
    events: {
      channelConnected: (event) => connected.push(event.tookMs),
      channelConnectFailed: (event) => failed.push(event),
      channelLost: (event) => lost.push(event),
    },
  });
  return {
    connected,
    failed,
    lost,
    request: (request) => channel.request(request),
    warm: () => channel.warm(),
    renew: () => channel.renew(),
    close: () => channel.close(),
    push: (body, { withinMs = 5_000, ...rest } = {}) =>
      channel.request({
        path: `/3/device/${encodeURIComponent(body)}`,
        headers: { 'apns-topic': 'com.example.app.voip' },
        body,
        recipient: body,
        deadline: performance.now() + withinMs,
        wanted: () => true,
        ...rest,
      }),
  };
}

/** Waits until a condition holds; fails after 10 s, telling `state`. */
export async function until(
  what: string,
  holds: () => boolean,
  state: () => unknown = () => '',
): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < end, `still waiting until ${what} ${state()}`);
    await delay(5);
  }
}

/** `200` for an answer, else the reason of the failure. */
export function outcome(reply: ChannelReply): string {
  return reply.kind === 'answered' ? String(reply.status) : reply.reason;
}

/** Timers, sockets and servers that keep this process alive now. */
export function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /Timeout|Immediate|TCP|TLS|Server|FSReq/.test(kind));
}
