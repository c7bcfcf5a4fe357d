/** What a pause ends early with: a stream, a request or a response. */
export interface Closable {
  readonly destroyed: boolean;
  once(event: 'close', listener: () => void): unknown;
  removeListener(event: 'close', listener: () => void): unknown;
}

/** Waits `ms` milliseconds, or until `exchange` is closed; the timer never outlives the exchange. */
export function pause(ms: number, exchange: Closable): Promise<void> {
  return new Promise((resolve) => {
    if (exchange.destroyed) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      exchange.removeListener('close', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    exchange.once('close', end);
  });
}
