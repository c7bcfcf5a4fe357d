import { type CommandContext, CommandFailed } from '../kit/command-context.ts';
import { milliseconds, textTable } from '../kit/text-table.ts';
import type { ServiceAnswer } from './ask-service.ts';
import { OUTCOME_ADVICE, type OutcomeAdvice } from './wake-advice.ts';

type Ended = Extract<ServiceAnswer, { kind: 'ended' }>;

/** Prints the steps of a test call that the service made; throws `CommandFailed` unless the app is ready. */
export function reportServiceWake(
  { out }: CommandContext,
  report: {
    readonly account: number;
    readonly baseUrl: string;
    readonly json: boolean;
    readonly answer: Ended;
  },
): void {
  const { account, baseUrl, answer } = report;
  const { outcome, reason } = answer;
  const { deviceFound, advice }: OutcomeAdvice = OUTCOME_ADVICE[outcome];
  if (report.json) out(JSON.stringify(asJson(account, baseUrl, answer), null, 2));
  else {
    out(`Test call for account ${account} through ${baseUrl}`);
    for (const line of textTable(steps(answer, deviceFound))) out(line);
    out(advice);
  }
  if (outcome === 'ready') return;
  throw new CommandFailed(
    `The phone is not ready for a call: ${outcome}${reason === null ? '' : ` (${reason})`}.`,
  );
}

function steps(answer: Ended, deviceFound: boolean | undefined): readonly (readonly string[])[] {
  const { pushAcceptedMs, appAnsweredMs, tookMs, outcome, word, reason } = answer;
  return [
    ...(deviceFound === undefined ? [] : [['  device', '', deviceFound ? 'found' : 'none registered']]),
    ...(pushAcceptedMs === null
      ? []
      : [['  push', milliseconds(pushAcceptedMs), 'accepted by the push service']]),
    ...(appAnsweredMs === null ? [] : [['  app', milliseconds(appAnsweredMs), 'answered']]),
    ['  result', milliseconds(tookMs), `${outcome} (${word})${reason === null ? '' : `: ${reason}`}`],
  ];
}

function asJson(account: number, via: string, answer: Ended): object {
  return {
    account,
    mode: 'service',
    via,
    awake: answer.outcome === 'ready',
    outcome: answer.outcome,
    answer: answer.word,
    reason: answer.reason,
    pushAcceptedMs: answer.pushAcceptedMs,
    appAnsweredMs: answer.appAnsweredMs,
    tookMs: Math.round(answer.tookMs * 10) / 10,
    advice: OUTCOME_ADVICE[answer.outcome].advice,
  };
}
