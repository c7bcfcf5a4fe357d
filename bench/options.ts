import { Command, Option } from 'commander';
import { SCENARIOS } from './scenarios/all-scenarios.ts';

/** What the command line says. */
export interface BenchOptions {
  readonly json: string | undefined;
  readonly scenario: string | undefined;
  readonly quick: boolean;
  readonly cpuProf: string | undefined;
}

/** Reads the command line; ends the process with a message where it makes no sense. */
export const parseOptions = (argv: readonly string[]): BenchOptions => {
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
    .addHelpText(
      'after',
      `\nScenarios:\n${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join('\n')}`,
    );
  const { json, scenario, quick, cpuProf } = command.parse(argv).opts<Partial<BenchOptions>>();
  return { json, scenario, quick: quick === true, cpuProf };
};
