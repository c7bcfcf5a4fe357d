/** What the bus tells of: for log and metrics. */
export interface BusEvents {
  /** This instance wakes the phone of a call whose owner fell silent or handed it over. */
  callTakenOver(event: { readonly account: number; readonly uniqueKey: string }): void;
  /** An answer whose message did not arrive was found in Redis: at a look at the calls that wait, or at the deadline. */
  answerFound(event: { readonly at: 'look' | 'deadline' }): void;
  /** A script failed otherwise than for want of Redis. */
  busFailed(event: { readonly during: string; readonly error: unknown }): void;
}
