// What a command needs is loaded when it is called: `--help` and the other commands start faster.

import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { PROGRAM } from '../../lib/program.ts';
import { folderPath, webAddress, wholeNumber } from '../kit/arguments.ts';
import { type CommandContext, CommandFailed } from '../kit/command-context.ts';
import { FAULT_KINDS, readFault, type ScriptedFault, withFault } from './sandbox-fault.ts';
import { PHONE_BEHAVIOURS, type PhoneRule, readPhoneRule, withPhoneRule } from './sandbox-phone-rules.ts';

interface Options {
  readonly folder: string;
  readonly portBase?: number;
  /** False: `--no-phone`. */
  readonly phone?: readonly PhoneRule[] | false;
  readonly fault?: readonly ScriptedFault[];
  readonly forward?: string;
}

/** `sandbox`: runs the stand-ins until it is stopped, for trying the service without Apple and Google. */
export function addSandboxCommand(program: Command, context: CommandContext): void {
  let phones: readonly PhoneRule[] = [];
  let faults: readonly ScriptedFault[] = [];
  program
    .command('sandbox')
    .description(
      'run stand-ins for Apple, Google, the platform API and phones, and print the settings to use them',
    )
    .option(
      '--folder <path>',
      'where certificate, settings and database of the sandbox go',
      folderPath,
      'data/sandbox',
    )
    .option(
      '--port-base <port>',
      'the first of four fixed ports in a row: APNs, APNs sandbox, FCM, platform API (default: free ones)',
      wholeNumber(1, 65_532),
    )
    .option(
      '--phone <behaviour>',
      `what phones do: ${PHONE_BEHAVIOURS.join(', ')}; TOKEN=BEHAVIOUR for one push token; repeatable`,
      (text: string, before: readonly PhoneRule[] | false | undefined) => {
        if (before === false) throw new InvalidArgumentError('It cannot be combined with --no-phone.');
        phones = withPhoneRule(phones, readPhoneRule(text));
        return phones;
      },
    )
    .option('--no-phone', 'no phone of the sandbox answers: your own app does')
    .option(
      '--fault <fault>',
      'what goes wrong at the push services: [TOKEN=]KIND[:VALUE][@TIMES][+delivered]; repeatable',
      (text: string) => {
        faults = withFault(faults, readFault(text));
        return faults;
      },
    )
    .option(
      '--forward <url>',
      'post each push to this address: service, token, headers and payload as JSON',
      webAddress,
    )
    .addHelpText('after', EXAMPLE)
    .action(async ({ folder, portBase, phone, forward }: Options) => {
      if (phone === false && phones.length > 0)
        throw new CommandFailed('--phone and --no-phone exclude each other.', 2);
      const { runSandbox } = await import('./sandbox-run.ts');
      const behaving = phone === false ? 'none' : phones;
      await runSandbox(context, { folder: resolve(folder), portBase, phones: behaving, faults, forward });
    });
}

const usages = Object.values(FAULT_KINDS).map(({ usage }) => usage);

const EXAMPLE = `
Phones: answers (the default) is ready 0.6 s after the push, declines answers that the user cannot take the call, slow
answers after 6 s, silent never. The push service says that a dead-token is dead, and refuses the push of refused.

Faults: ${usages.slice(0, 7).join(', ')},
  ${usages.slice(7).join(', ')}.
They hit every push, or those to TOKEN; the next TIMES pushes, or all. With +delivered the push reaches the phone all
the same. CODE is a number or a name of RFC 9113 section 7, such as CANCEL.

With --no-phone calls wait 30 s (APP_PUSH_ROUNDTRIP_WAIT), so that a person has time to answer.

Each push is printed with all that it carries, number and name of the caller included; push tokens are shortened.

Examples:
  ${PROGRAM} sandbox --port-base 9100
      prints lines such as "export APNS_URL=https://127.0.0.1:9100", and writes them to data/sandbox/sandbox.env
  ${PROGRAM} --env-file data/sandbox/sandbox.env serve
      in another shell
  ${PROGRAM} sandbox --phone slow --phone any-token=declines
  ${PROGRAM} sandbox --no-phone --forward http://127.0.0.1:3000/push
  ${PROGRAM} sandbox --fault answer:503:ServiceUnavailable@2 --fault any-token=hang`;
