import { until } from '../../harness/until.ts';
import { CALLER } from './caller.ts';
import type { CaseRun } from './e2e-case.ts';
import type { Handset } from './handset.ts';
import { SETTLED_MS } from './settled-ms.ts';

/** The service's APP_PUSH_RESEND_INTERVAL, and how early a timer may be. */
const RESEND_MS = 1_000;
const TOLERANCE_MS = 100;

/** Pushes that neither the call, which came at `invitedAt`, nor the schedule of its resends explains. */
export function faultsOfPushes(
  { account, diary }: Handset,
  invitedAt: number | undefined,
): readonly string[] {
  if (diary.pushes.length === 0) return [`the phone of ${account} got no push`];
  const tooSoon = diary.pushes.some((at, index) => at < (invitedAt ?? 0) + index * RESEND_MS - TOLERANCE_MS);
  return tooSoon ? [`the phone of ${account} got a push again too soon`] : [];
}

/** What is wrong with the phones of a case, in words. `taken`: they were to take the calls that were answered. */
export async function faultsOfPhones({ made, phones }: CaseRun, taken: boolean): Promise<readonly string[]> {
  const answered = made.flatMap(({ scenario, accounts }) => (scenario.kind === 'answered' ? accounts : []));
  const problems: string[] = [];
  for (const phone of phones) {
    problems.push(...phone.diary.errors.map((error) => `the phone of ${phone.account}: ${String(error)}`));
    problems.push(...faultsOfAnswers(phone));
    const wanted = taken && answered.includes(phone.account) ? 1 : 0;
    const softPhone = () => phone.softPhone();
    const isOver = () => (softPhone()?.over() ?? 0) === wanted;
    await until(isOver, 'the phone hangs up', SETTLED_MS).catch(() => {});
    const established = softPhone()?.established() ?? 0;
    if (established !== wanted || !isOver())
      problems.push(`the phone of ${phone.account} had ${established} calls; expected: ${wanted}`);
  }
  return problems;
}

function faultsOfAnswers({ account, diary }: Handset): readonly string[] {
  return [
    ...diary.statuses
      .filter((status) => status !== 202)
      .map((status) => `the service told the phone of ${account} ${status} instead of 202`),
    ...diary.callers
      .filter(({ name, number }) => name !== CALLER.name || number !== CALLER.number)
      .map(
        ({ name, number }) =>
          `a push said that ${name} (${number}) calls, in place of ${CALLER.name} (${CALLER.number})`,
      ),
  ];
}
