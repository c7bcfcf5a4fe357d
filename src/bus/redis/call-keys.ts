import type { Call } from '../../calls/call.ts';

/** The names of what Redis keeps of a call. */
export interface CallKeys {
  /** The hash of the calls that the PBX (or, without call_id, the unique key) names so, or that have this unique key. */
  call(name: string): string;
  /** The channel that an instance hears. */
  channel(instance: string): string;
  /** The instances and their signs of life. */
  heartbeats(): string;
}

/** Names under a prefix. What is in braces decides the slot of a Cluster: names are escaped for it. */
export function createCallKeys(prefix: string): CallKeys {
  return {
    call: (name) => `${prefix}call:{${escaped(name)}}`,
    channel: (instance) => `${prefix}instance:{${instance}}`,
    heartbeats: () => `${prefix}instances`,
  };
}

/** What a call is named by on the bus. */
export function nameOf(call: Call): string {
  return call.ask.callId ?? call.uniqueKey;
}

function escaped(name: string): string {
  return name.replace(/[{}%]/g, (each) => encodeURIComponent(each));
}
