/**
 * Makes one run of many: whoever asks while one is under way gets what that one comes to, be it a rejection. For work that
 * costs the same for everybody and that anybody may ask for.
 */
export function sharedRun<T>(run: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= run().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
