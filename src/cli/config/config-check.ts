import type { Command } from 'commander';
import { type ConfigReport, processSource, readConfig } from '../../config/config.ts';
import { PROGRAM } from '../../lib/program.ts';
import { jsonOption } from '../kit/arguments.ts';
import { type CommandContext, CommandFailed, tellDatabase } from '../kit/command-context.ts';
import { counted } from '../kit/counted.ts';
import { textTable } from '../kit/text-table.ts';
import { reachedBy, reachedByCells } from './reached-by.ts';
import { shownSetting } from './shown-setting.ts';

/** `config check`: every setting, where it came from, and everything that is wrong with them. */
export function addConfigCommands(program: Command, context: CommandContext): void {
  program
    .command('config')
    .description('look at the settings')
    .addHelpText('after', `\nExample:\n  ${PROGRAM} config check`)
    .command('check')
    .description('print every setting with its origin (secrets hidden), proxies, warnings and problems')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: { readonly json?: true }) => checkConfig(context, options.json === true));
}

const EXAMPLES = `
Exit code: 0 when the service can run with these settings, 2 when not.

Examples:
  ${PROGRAM} config check
  ${PROGRAM} config check --json | jq '.settings[] | select(.from != "default")'`;

function checkConfig(context: CommandContext, json: boolean): void {
  const report = readConfig(processSource());
  if (json) context.out(JSON.stringify(reportAsJson(report), null, 2));
  else printReport(context, report);
  if (report.config !== undefined) {
    tellDatabase(context, report.config, 'will be created by serve');
    return;
  }
  throw new CommandFailed(`The settings cannot be used: ${counted(report.problems.length, 'problem')}.`, 2);
}

function reportAsJson(report: ConfigReport): object {
  return {
    usable: report.config !== undefined,
    settings: report.found.map((setting) => ({
      name: setting.name,
      value: setting.value === '' ? null : shownSetting(setting),
      from: setting.from,
      secret: setting.secret,
    })),
    destinations: report.config === undefined ? [] : reachedBy(report.config),
    warnings: report.warnings,
    problems: report.problems,
  };
}

function printReport({ out }: CommandContext, report: ConfigReport): void {
  const settings = report.found.map((setting) => [setting.name, shownSetting(setting), setting.from]);
  for (const line of textTable([['SETTING', 'VALUE', 'FROM'], ...settings])) out(line);
  if (report.config !== undefined) {
    out('');
    const rows = reachedBy(report.config).map(reachedByCells);
    for (const line of textTable([['DESTINATION', 'ORIGIN', 'REACHED'], ...rows])) out(line);
    out('');
  }
  for (const warning of report.warnings) out(`Warning: ${warning}`);
  for (const problem of report.problems) out(`Problem: ${problem}`);
  if (report.problems.length === 0) out('The settings can be used.');
}
