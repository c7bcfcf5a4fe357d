/** Where a proxy listens for one push service, and the stand-in or adapter behind it: ports of 127.0.0.1. */
interface Door {
  readonly listen: number;
  readonly target: number;
  /** With which the paths of the push service begin. */
  readonly path: string;
}

/** What a proxy asks of every connection. */
export interface Limits {
  /** MAX_CONCURRENT_STREAMS. */
  readonly streams: number;
  /** Requests until the connection ends with GOAWAY; undefined: any number. */
  readonly requests: number | undefined;
}

/** What a proxy is configured for: a door for each push service, all under the same certificate and limits. */
export interface Site {
  /** For its files; it belongs to the user that the proxy runs as. */
  readonly folder: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly doors: readonly Door[];
  readonly limits: Limits;
}

/** A configured proxy. */
export interface Configuration {
  /** By name in the folder. */
  readonly files: Readonly<Record<string, string>>;
  /** For its program; it stays in the foreground. */
  readonly args: readonly string[];
}

/** One kind of proxy from Debian: how it is found, configured and reloaded. */
export interface Front {
  readonly name: string;
  /** Debian's package. */
  readonly package: string;
  readonly program: string;
  /** Makes it print its version. */
  readonly versionArgs: readonly string[];
  /** What it speaks to servers: `h2` over TLS with the stand-ins, or HTTP/1.1 with an adapter. */
  readonly upstream: 'h2' | 'HTTP/1.1';
  /** Whether it announces any limit of streams, or a fixed one of its own. */
  readonly limitsStreams: boolean;
  /** How it ends connections that served enough; where it counts no requests, what it has instead. */
  readonly endsConnections: 'after so many requests' | 'when idle for 300 ms' | 'when idle for 1 s';
  configure(site: Site): Configuration;
  /** A signal to its first process, or arguments for its program that reload the one in the folder. */
  readonly reload: NodeJS.Signals | ((folder: string) => readonly string[]);
}
