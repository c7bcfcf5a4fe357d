/** Apps that have series of their own; of each a scrape writes about a hundred. */
const MOST_APPS = 100;

/** The value of the label `app` for an app id: itself, or `other` for apps that were seen after the first 100. */
export type AppLabel = (appId: string) => string;

/** Keeps the label `app` bounded, although apps may be added and removed for as long as a process runs. */
export function createAppLabel(): AppLabel {
  const known = new Set<string>();
  let latest: string | undefined;
  return (appId) => {
    if (appId === latest) return latest;
    if (known.has(appId)) {
      latest = appId;
      return appId;
    }
    if (known.size >= MOST_APPS) return 'other';
    known.add(appId);
    return appId;
  };
}
