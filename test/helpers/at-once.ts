/** Whether a promise settles without anything being waited for: before the event loop turns. */
export async function settlesAtOnce(promise: Promise<unknown>): Promise<boolean> {
  const turned = new Promise<boolean>((resolve) => setImmediate(resolve, false));
  const settled = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, turned]);
}
