import type { Lane } from './sandbox.ts';

/** Does the work for every item, on each lane one after the other, until all is done or the run is interrupted. */
export async function inLanes<Item>(
  items: readonly Item[],
  lanes: readonly Lane[],
  signal: AbortSignal,
  work: (item: Item, lane: Lane) => Promise<void>,
): Promise<void> {
  const left = items.values();
  await Promise.all(
    lanes.map(async (lane) => {
      for (const item of left) {
        if (signal.aborted) return;
        await work(item, lane);
      }
    }),
  );
}
