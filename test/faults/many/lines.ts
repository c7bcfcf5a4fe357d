import { Agent } from 'node:http';

/** How PBXs and apps reach an instance. */
export interface Line {
  readonly url: string;
  readonly agent: Agent;
}

/** Lines to instances, in their order, over connections that are kept and shared. */
export interface Lines {
  readonly all: readonly Line[];
  /** Closes every connection; the next request opens a new one. */
  hangUp(): void;
}

/** Makes the lines; they connect when they are used. */
export function createLines(urls: readonly string[]): Lines {
  const all = urls.map((url) => ({
    url,
    agent: new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY }),
  }));
  return {
    all,
    hangUp: () => {
      for (const { agent } of all) agent.destroy();
    },
  };
}

/** The line with that number, counted around. */
export function lineAt(lines: readonly Line[], number: number): Line {
  const line = lines[number % lines.length];
  if (line === undefined) throw new RangeError('there are no lines');
  return line;
}
