import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { createLoneBus } from '../../src/bus/lone-bus.ts';
import { busProbe } from '../../src/bus/redis/bus-probe.ts';
import { RedisBus } from '../../src/bus/redis/redis-bus.ts';
import { ANSWER, BUS_SCRIPTS } from '../../src/bus/redis/scripts.ts';
import { openRedis } from '../../src/redis/open-redis.ts';
import type { RedisSettings } from '../../src/redis/redis-address.ts';
import type { RedisLink } from '../../src/redis/redis-link.ts';
import { type BusInstance, createBusInstance } from './bus-instance.ts';
import { tellingReplies } from './meddled-links.ts';

/** How an instance of a test is to be. */
export interface InstanceOptions {
  /** Milliseconds that its calls wait. */
  readonly waitMs?: number;
  readonly lookEveryMs?: number;
  readonly required?: boolean;
  /** As with ANSWER_SECRET; default false. */
  readonly proofs?: boolean;
  /** Milliseconds for one command. */
  readonly timeoutMs?: number;
  /** Stands between the bus and its link. */
  readonly meddle?: (link: RedisLink) => RedisLink;
  /** Whether scripts may fail by a fault that is not Redis being away; otherwise that fails the test. */
  readonly mayFail?: boolean;
  /** Whether Redis is probed meanwhile as in the service; default true. */
  readonly probes?: boolean;
}

/** An instance, and what may happen to it. */
export interface OpenInstance extends BusInstance {
  /** Cut off as by `kill -9`: nobody is told, nothing is heard any more. */
  kill(): Promise<void>;
  /** Calls that Redis has said are its own or another's: only then do the others know that it waits. */
  claims(): number;
  /** What its bus found in Redis instead of hearing it, and the calls that it took over. */
  readonly link: Pick<RedisLink, 'isUp' | 'trouble'>;
  readonly told: {
    readonly found: string[];
    readonly takenOver: string[];
    readonly failed: { readonly during: string; readonly error: unknown }[];
  };
}

/** Instances that share a bus. */
export interface BusWorld {
  /** What its keys in Redis begin with. */
  readonly prefix: string;
  instance(options?: InstanceOptions): Promise<OpenInstance>;
}

/** Long enough for whatever a test does; calls whose deadline matters say so. */
const WAIT_MS = 30_000;

/** A world of one instance that is alone. */
export async function loneWorld(t: TestContext): Promise<BusWorld> {
  return {
    prefix: '',
    instance: async ({ waitMs = WAIT_MS, proofs = false } = {}) => {
      const instance = createBusInstance({ waitMs, proofs }, (room) => createLoneBus(room));
      t.after(() => instance.room.close());
      return {
        ...instance,
        kill: async () => instance.room.close(),
        claims: () => 0,
        link: { isUp: () => true, trouble: () => undefined },
        told: { found: [], takenOver: [], failed: [] },
      };
    },
  };
}

/** A world of instances on what the settings name. */
export function redisWorld(
  t: TestContext,
  place: RedisSettings['place'],
  prefix = `t${Math.random().toString(36).slice(2)}:`,
  login: Pick<RedisSettings, 'username' | 'password'> = { username: undefined, password: undefined },
): BusWorld {
  return {
    prefix,
    instance: async ({
      waitMs = WAIT_MS,
      lookEveryMs = 60_000,
      required = false,
      proofs = false,
      timeoutMs = 2_000,
      meddle,
      mayFail = false,
      probes = true,
    } = {}) => {
      const told: OpenInstance['told'] = { found: [], takenOver: [], failed: [] };
      let heard = false;
      const link = openRedis(
        {
          place,
          ...login,
          tls: false,
          ca: undefined,
          timeoutMs,
          prefix,
          required,
        },
        {
          redisUp: () => {},
          redisDown: () => {},
          shardUp: () => {},
          shardDown: () => {},
          listening: () => {
            heard = true;
          },
          notListening: () => {},
          redisOverloaded: () => {},
        },
        { scripts: BUS_SCRIPTS, ...(probes ? { probe: busProbe(prefix) } : {}) },
      );
      let claims = 0;
      const counting = tellingReplies((script) => {
        if (script === 'claim') claims += 1;
      });
      const instance = createBusInstance(
        { waitMs, proofs },
        (room) =>
          new RedisBus({
            link: counting(meddle?.(link) ?? link),
            room,
            prefix,
            timeoutMs,
            required,
            lookEveryMs,
            events: {
              callTakenOver: ({ uniqueKey }) => told.takenOver.push(uniqueKey),
              answerFound: ({ at }) => told.found.push(at),
              busFailed: (failure) => told.failed.push(failure),
            },
          }),
      );
      let killed = false;
      const kill = async (): Promise<void> => {
        if (killed) return;
        killed = true;
        // The link first: whatever the bus would say at its end is not said.
        await link.close();
        await instance.bus.close();
        instance.room.close();
      };
      t.after(async () => {
        await kill();
        if (!mayFail) assert.deepEqual(told.failed, []);
      });
      await until(() => heard && link.isUp(), 'the instance hears the others');
      // A Cluster's link is up as soon as one master works; these keys are of all of them.
      const keys = Array.from({ length: 40 }, (_, index) => `${prefix}asked-${index}`);
      await until(async () => {
        const asked = await Promise.allSettled(keys.map((key) => link.run(ANSWER, [key], ['', ''])));
        return asked.every(({ status }) => status === 'fulfilled');
      }, 'every server works');
      return { ...instance, kill, claims: () => claims, told, link };
    },
  };
}
