import { type CommandContext, CommandFailed } from '../kit/command-context.ts';
import { milliseconds, textTable } from '../kit/text-table.ts';
import { VERDICT_ADVICE } from './wake-advice.ts';
import type { DirectWake } from './wake-directly.ts';

/** Prints the steps of a push from this process; throws `CommandFailed` unless the push service took it. */
export function reportDirectWake(
  { out }: CommandContext,
  report: { readonly account: number; readonly json: boolean; readonly wake: DirectWake },
): void {
  const { account, wake } = report;
  const { verdict, reason } = wake.push;
  if (report.json) out(JSON.stringify(asJson(account, wake), null, 2));
  else {
    out(`Test push for account ${account} from this process`);
    for (const line of textTable(steps(wake))) out(line);
    out(VERDICT_ADVICE[verdict]);
  }
  if (verdict !== 'accepted') throw new CommandFailed(`The push was not taken: ${verdict} (${reason}).`);
}

function steps({ platform, appId, lookupMs, push }: DirectWake): readonly (readonly string[])[] {
  const { connectMs, credentialMs, connectError, reason, detail } = push;
  const answer = detail === undefined ? reason : `${reason} (${detail})`;
  return [
    ['  device', milliseconds(lookupMs), `found: ${platform} ${appId}`],
    ...(connectMs === undefined ? [] : [['  connect', milliseconds(connectMs), 'to the push service']]),
    ...(connectError === undefined ? [] : [['  connect', '', connectError]]),
    ...(credentialMs === undefined ? [] : [['  credential', milliseconds(credentialMs), 'token ready']]),
    ['  push', milliseconds(push.pushMs), `${push.verdict}: ${answer}`],
  ];
}

function asJson(account: number, { platform, appId, lookupMs, push }: DirectWake): object {
  const rounded = (ms: number | undefined): number | null =>
    ms === undefined ? null : Math.round(ms * 10) / 10;
  return {
    account,
    mode: 'direct',
    platform,
    appId,
    accepted: push.verdict === 'accepted',
    verdict: push.verdict,
    reason: push.reason,
    detail: push.detail ?? null,
    lookupMs: rounded(lookupMs),
    connectMs: rounded(push.connectMs),
    credentialMs: rounded(push.credentialMs),
    pushMs: rounded(push.pushMs),
    connectError: push.connectError ?? null,
    advice: VERDICT_ADVICE[push.verdict],
  };
}
