import type { Fault, PushHooks } from './faults.ts';

/** A fault that was written for a request. */
export interface Scripted<F> {
  readonly fault: F;
  readonly delivered: boolean;
}

interface RuleScope {
  readonly key?: string | undefined;
  /** Always, unless told. */
  readonly times?: number | undefined;
  readonly delivered?: boolean | undefined;
}

/** Which requests fail, and how: rules in the order in which they were written, those for one key first. */
export interface FaultScript<F> {
  /** Throws RangeError past 100,000 rules. */
  add(fault: F, scope: RuleScope): void;
  /** The fault for a request of this key, used up by one; undefined: none. */
  take(key: string): Scripted<F> | undefined;
  clear(): void;
}

const MAX_RULES = 100_000;

interface Rule<F> extends Scripted<F> {
  left: number;
}

/** Makes an empty script. */
export function createFaultScript<F>(): FaultScript<F> {
  const general: Rule<F>[] = [];
  const byKey = new Map<string, Rule<F>[]>();
  let size = 0;

  const use = (rules: Rule<F>[] | undefined): Rule<F> | undefined => {
    const rule = rules?.[0];
    if (rule === undefined || rules === undefined) return undefined;
    rule.left -= 1;
    if (rule.left <= 0) {
      rules.shift();
      size -= 1;
    }
    return rule;
  };

  return {
    add: (fault, { key, times = Number.POSITIVE_INFINITY, delivered = false }) => {
      if (times < 1) return;
      if (size >= MAX_RULES) throw new RangeError(`A fault script holds at most ${MAX_RULES} rules.`);
      size += 1;
      const rule = { fault, delivered, left: times };
      if (key === undefined) {
        general.push(rule);
        return;
      }
      const rules = byKey.get(key) ?? [];
      rules.push(rule);
      byKey.set(key, rules);
    },
    take: (key) => {
      const rules = byKey.get(key);
      const rule = use(rules);
      if (rules?.length === 0) byKey.delete(key);
      return rule ?? use(general);
    },
    clear: () => {
      general.length = 0;
      byKey.clear();
      size = 0;
    },
  };
}

/** What the owner's hook wants for a request of this token, in the shape of a script. */
export function scriptedBy({ faultFor }: PushHooks, token: string): Scripted<Fault> | undefined {
  const fault = faultFor?.(token);
  return fault === undefined ? undefined : { fault, delivered: false };
}
