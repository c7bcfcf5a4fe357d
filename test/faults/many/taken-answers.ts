import type { CallRecord } from './call-record.ts';
import type { Instance } from './instance.ts';
import type { Excuses } from './verdict.ts';

const TAKEN = 'vialer_middleware_answers_total{fate="taken"}';

/** How many answers each process has taken as the first one of a call. */
export type TakenAnswers = ReadonlyMap<number, number>;

/** Reads it from the instances that run. */
export async function takenBy(instances: readonly Instance[]): Promise<TakenAnswers> {
  const running = instances.filter((instance) => instance.runs());
  return new Map(
    await Promise.all(
      running.map(async (instance) => [instance.pid(), (await instance.metrics()).value(TAKEN)] as const),
    ),
  );
}

/**
 * An app hears 202 for a first answer and for a later one alike; the instances count them apart. They must not have taken
 * more first answers than there are calls that an app answered. What an ended process counted is not known.
 */
export function takenTwice(
  calls: readonly CallRecord[],
  before: TakenAnswers,
  after: TakenAnswers,
  { apart, contested }: Excuses,
): readonly string[] {
  let taken = 0;
  for (const [pid, count] of after) taken += count - (before.get(pid) ?? 0);
  const answered = calls.filter(({ answers }) => answers.some(({ status }) => status === 202));
  const excused = calls.filter((call) => apart?.(call) === true || contested?.(call) === true);
  const most = answered.length + excused.length;
  return taken > most ? [`${taken} answers were taken as the first of a call, for ${most} calls`] : [];
}
