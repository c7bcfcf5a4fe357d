import { Command, Option } from 'commander';
import { wholeNumber } from '../harness/whole-number.ts';
import { SCENARIOS } from './scenarios/all-scenarios.ts';

/** What the command line says. */
export interface BenchOptions {
  readonly json: string | undefined;
  readonly scenario: string | undefined;
  readonly quick: boolean;
  readonly cpuProf: string | undefined;
  readonly target: TargetOptions | undefined;
}

/** Another implementation that is measured instead of this service. */
export interface TargetOptions {
  /** `http://host:port` */
  readonly url: string;
  /** Its process on this machine; undefined: its processor time and memory are not measured. */
  readonly pid: number | undefined;
  /** Where it finds how to push to the phones of the bench. */
  readonly settings: string | undefined;
}

/** Reads the command line; ends the process with a message where it makes no sense. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const command = new Command('npm run bench --')
    .description('Measures the service and the limit, a bare server, side by side (bench/README.md).')
    .option('--json <file>', 'write the report with every round to this file as well')
    .addOption(
      new Option('--scenario <name>', 'only this part of the bench').choices(
        SCENARIOS.map(({ name }) => name),
      ),
    )
    .option('--quick', 'everything once, within a minute', false)
    .option('--cpu-prof <folder>', "write the service's processor profile to this folder when it stops")
    .option('--target <url>', 'measure another implementation of the HTTP API that runs there')
    .option('--target-pid <pid>', 'its process on this machine, for processor time and memory', wholeNumber)
    .option('--target-settings <folder>', 'write how it reaches the push services here, then wait for it')
    .addHelpText(
      'after',
      `\nScenarios:\n${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join('\n')}`,
    );
  const said = command.parse(argv).opts<Said>();
  const { json, scenario, cpuProf, target: url, targetPid: pid, targetSettings: settings } = said;
  const target = url === undefined ? undefined : { url: new URL(url).origin, pid, settings };
  return { json, scenario, quick: said.quick, cpuProf, target };
}

/** The options as Commander names them. */
interface Said {
  readonly json?: string;
  readonly scenario?: string;
  readonly quick: boolean;
  readonly cpuProf?: string;
  readonly target?: string;
  readonly targetPid?: number;
  readonly targetSettings?: string;
}
