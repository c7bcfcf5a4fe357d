import { integer, listenHost } from './parsers.ts';
import type { SettingsReader } from './settings-reader.ts';

/** Where a listener listens; port 0 is any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The other listeners, which must not have the same port. */
export interface OtherListeners {
  readonly main: ListenAddress;
  readonly metrics: ListenAddress;
}

/** Reads `PBX_PORT` and `PBX_HOST`: the listener that PBXs have for themselves. Undefined: they share the main one. */
export function readPbxListener(
  reader: SettingsReader,
  { main, metrics }: OtherListeners,
): ListenAddress | undefined {
  const port = reader.readOptional('PBX_PORT', integer(0, 65_535));
  const host = reader.read('PBX_HOST', main.host, listenHost);
  if (isSame(main, metrics)) reader.problem(`PORT and PROMETHEUS_PORT are both ${main.port}; set another`);
  if (port === undefined) {
    // Whoever sets it believes that PBXs are asked for there alone.
    if (reader.isSet('PBX_HOST') && !reader.isSet('PBX_PORT')) {
      reader.problem('PBX_PORT must be set with PBX_HOST: without it PBXs ask at HOST and PORT');
    }
    return undefined;
  }
  const listener = { host, port };
  if (isSame(listener, main)) reader.problem(`PBX_PORT and PORT are both ${port}; set another PBX_PORT`);
  if (isSame(listener, metrics)) {
    reader.problem(`PBX_PORT and PROMETHEUS_PORT are both ${port}; set another PBX_PORT`);
  }
  return listener;
}

const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Whether two listeners cannot be opened side by side. */
function isSame(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  return one.host === other.host || EVERY_ADDRESS.has(one.host) || EVERY_ADDRESS.has(other.host);
}
