import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { SIP_DOMAIN } from './kamailio.ts';
import { type Network, SIP_PORT } from './network.ts';

/** Who calls: what an app must be told, to the letter. */
export const CALLER = { name: 'Zoë & Co = 100%', number: '+31201234567' } as const;

/** What a PBX does and what it must hear: a scenario of test/e2e/scenarios. */
export type Scenario =
  | { readonly kind: 'answered' }
  | { readonly kind: 'refused'; readonly code: number; readonly outcome: string }
  | { readonly kind: 'hangs-up'; readonly afterMs: number };

/** Calls of one PBX. */
export interface Calls {
  readonly scenario: Scenario;
  /** Who is called, one call each. */
  readonly accounts: readonly number[];
  /** Calls a second; all at once unless told. */
  readonly rate?: number;
}

/** The calls as they went. */
export interface CallsMade extends Calls {
  /** Begins the Call-ID of each of them; behind it stands the number of the call, from 1. */
  readonly callIds: string;
  /** SIPp's verdict: undefined when each call went as its scenario says, else what it wrote. */
  readonly fault: string | undefined;
}

/** A PBX that calls with SIPp. */
export interface Caller {
  /** Resolves when all calls are over. */
  call(calls: Calls): Promise<CallsMade>;
}

const SCENARIOS = new URL('./scenarios/', import.meta.url);
/** Beyond which SIPp gives up a run, seconds. */
const LIMIT_S = 40;
/** Calls a second that are as good as at once. */
const AT_ONCE = 1_000;
/** Ports of a PBX: SIPp takes one for SIP and some for media. */
const FIRST_PORT = 6_000;
const PORTS_EACH = 10;

/** Makes the PBX; nothing runs until it calls. `folder`: where its files go. */
export function createCaller(network: Network, folder: string): Caller {
  let runs = 0;
  return {
    call: async (calls) => {
      const { scenario, accounts, rate = AT_ONCE } = calls;
      runs += 1;
      const callIds = `${scenario.kind}-${runs}-`;
      const own = await mkdtemp(join(folder, 'caller-'));
      await writeFile(join(own, 'scenario.xml'), await readScenario(scenario));
      await writeFile(join(own, 'accounts.csv'), `SEQUENTIAL\n${accounts.map(String).join('\n')}\n`);
      const port = FIRST_PORT + runs * PORTS_EACH;
      const sipp = startChild(
        'sipp',
        [
          ...[`${network.proxy}:${SIP_PORT}`, '-sf', 'scenario.xml', '-inf', 'accounts.csv'],
          ...['-i', network.caller, '-p', String(port), '-mi', network.caller, '-mp', String(port + 1)],
          ...['-m', String(accounts.length), '-r', String(rate), '-l', '1000'],
          ...['-cid_str', `${callIds}%u`, '-timeout', `${LIMIT_S}s`, '-timeout_error', '-nostdin'],
          ...['-trace_err', '-error_file', 'errors.log'],
        ],
        { cwd: own },
      );
      const ended = await sipp.ended;
      if (ended === 0) return { ...calls, callIds, fault: undefined };
      const errors = await readFile(join(own, 'errors.log'), 'utf8').catch(() => sipp.output().slice(-2_000));
      return { ...calls, callIds, fault: `SIPp ended with ${ended}: ${errors.slice(0, 2_000)}` };
    },
  };
}

async function readScenario(scenario: Scenario): Promise<string> {
  const text = await readFile(new URL(`${scenario.kind}.xml`, SCENARIOS), 'utf8');
  const common = text
    .replaceAll('DOMAIN', SIP_DOMAIN)
    .replaceAll('CALLER', CALLER.name)
    .replaceAll('NUMBER', CALLER.number);
  switch (scenario.kind) {
    case 'answered':
      return common;
    case 'refused':
      return common.replaceAll('CODE', String(scenario.code)).replaceAll('OUTCOME', scenario.outcome);
    case 'hangs-up':
      return common.replaceAll('AFTER', String(scenario.afterMs));
    default:
      return scenario satisfies never;
  }
}
