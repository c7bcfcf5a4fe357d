/** A share in something; the last one to release it closes it. */
export interface Lease<T> {
  readonly value: T;
  /** Gives the share back; ends when the thing is closed, if this was the last share. Once is enough. */
  release(): Promise<void>;
}

/** Things that several apps use together, each made once for its key. */
export interface RefCounted<K, T> {
  lease(key: string, spec: K): Lease<T>;
  /** How many are alive. */
  size(): number;
}

/** Makes a thing on its first lease and disposes of it with its last. */
export function createRefCounted<K, T>(
  create: (spec: K) => T,
  dispose: (value: T) => Promise<void>,
): RefCounted<K, T> {
  const entries = new Map<string, { readonly value: T; leases: number }>();
  return {
    lease: (key, spec) => {
      const entry = entries.get(key) ?? { value: create(spec), leases: 0 };
      entries.set(key, entry);
      entry.leases += 1;
      let released = false;
      const release = async (): Promise<void> => {
        if (released) return;
        released = true;
        entry.leases -= 1;
        if (entry.leases > 0) return;
        entries.delete(key);
        await dispose(entry.value);
      };
      return { value: entry.value, release };
    },
    size: () => entries.size,
  };
}
