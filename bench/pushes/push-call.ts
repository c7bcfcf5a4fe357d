/** Pushes for a call and resolves when the push service has taken it; rejects where it has not. */
export type PushCall = (call: { readonly account: number; readonly uniqueKey: string }) => Promise<void>;
