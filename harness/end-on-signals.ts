/** Ends what was started when the suite is interrupted, then this process: else servers and folders would stay behind. */
export function endOnSignals(open: AsyncDisposableStack): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      process.stdout.write(`${signal}: ending what was started\n`);
      void open.disposeAsync().finally(() => process.exit(1));
    });
  }
}
