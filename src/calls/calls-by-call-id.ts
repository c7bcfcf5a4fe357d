import type { Call } from './call.ts';

/**
 * The calls that wait, by the PBX's call_id and by account. A call_id almost always rings one account: only a second
 * account makes a map of its own. Each operation costs the same however many accounts share one call_id.
 */
export class CallsByCallId {
  readonly #byCallId = new Map<string, Call | Map<number, Call>>();

  find(callId: string, account: number): Call | undefined {
    const found = this.#byCallId.get(callId);
    if (found instanceof Map) return found.get(account);
    return found?.ask.account === account ? found : undefined;
  }

  /** Adds a call whose call_id and account no other call here has. */
  add(callId: string, call: Call): void {
    const found = this.#byCallId.get(callId);
    if (found === undefined) this.#byCallId.set(callId, call);
    else if (found instanceof Map) found.set(call.ask.account, call);
    else {
      this.#byCallId.set(
        callId,
        new Map([
          [found.ask.account, found],
          [call.ask.account, call],
        ]),
      );
    }
  }

  remove(callId: string, call: Call): void {
    const found = this.#byCallId.get(callId);
    if (found === call) this.#byCallId.delete(callId);
    else if (found instanceof Map && found.get(call.ask.account) === call) {
      found.delete(call.ask.account);
      if (found.size === 0) this.#byCallId.delete(callId);
    }
  }

  /** Every call of a call_id, as they are now. */
  all(callId: string): readonly Call[] {
    const found = this.#byCallId.get(callId);
    if (found === undefined) return [];
    return found instanceof Map ? [...found.values()] : [found];
  }
}
