import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PbxProcess } from '../load/pbx-process.ts';
import type { PhonesProcess, PhoneWorld } from '../phones/phones-process.ts';
import { type HelperProcess, startHelper } from './helper-process.ts';

/** The processes around what is measured, and what all measurements have in common. */
export interface Tools {
  readonly pbxs: HelperProcess<PbxProcess>;
  readonly phones: HelperProcess<PhonesProcess>;
  readonly world: PhoneWorld;
  /** The world's certificate authority as a file, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  /** What the call_ids of this run begin with. */
  readonly run: string;
  readonly accounts: number;
  /** The share of requests over a connection of their own. */
  readonly freshShare: number;
  /** What went otherwise than it must for the figures to mean something; each is told in the end. */
  readonly problems: string[];
  /** Takes so many numbers of calls; returns the first. */
  takeCalls(count: number): number;
  /** Another one each time, the same ones in every run. */
  nextSeed(): number;
  close(): Promise<void>;
}

/** Starts the PBXs' process and that of the push services and phones. */
export async function startTools(options: {
  readonly accounts: number;
  readonly freshShare: number;
}): Promise<Tools> {
  await using starting = new AsyncDisposableStack();
  const pbxs = await startHelper<PbxProcess>(new URL('../load/pbx-process.ts', import.meta.url));
  starting.defer(() => pbxs.close());
  const phones = await startHelper<PhonesProcess>(new URL('../phones/phones-process.ts', import.meta.url));
  starting.defer(() => phones.close());
  const world = await phones.ask('start', undefined);
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-bench-'));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, world.ca);
  const running = starting.move();
  let nextCall = 1;
  let seed = 0;
  return {
    ...options,
    pbxs,
    phones,
    world,
    caFile,
    problems: [],
    run: randomBytes(12).toString('hex'),
    takeCalls: (count) => {
      nextCall += count;
      return nextCall - count;
    },
    nextSeed: () => {
      seed += 1;
      return seed;
    },
    close: () => running.disposeAsync(),
  };
}
