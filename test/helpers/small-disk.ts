import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A file system of its own, which can be filled. */
export interface SmallDisk {
  readonly path: string;
  /** Leaves no byte free. */
  fill(): void;
  /** Makes room again. */
  empty(): void;
}

const KILOBYTES = 1024;

/** Mounts one in memory; undefined where this user may not mount, which the test's output says. */
export function mountSmallDisk(t: TestContext): SmallDisk | undefined {
  const path = mkdtempSync(join(tmpdir(), 'vialer-middleware-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${KILOBYTES}k`, 'none', path], { stdio: 'ignore' });
  } catch {
    rmSync(path, { recursive: true });
    t.diagnostic(
      'this user may not mount a file system: a limit on the size of files stands in for a full disk',
    );
    return undefined;
  }
  t.after(() => {
    // What still has a file there open may keep it until it ends.
    execFileSync('umount', ['--lazy', path]);
    rmSync(path, { recursive: true });
  });
  const filler = join(path, 'filler');
  return {
    path,
    fill: () => {
      writeFileSync(filler, '');
      // Down to single bytes, whatever the last page holds.
      for (const size of [64 * 1024, 4096, 1]) appendUntilFull(filler, Buffer.alloc(size));
    },
    empty: () => truncateSync(filler),
  };
}

function appendUntilFull(path: string, piece: Buffer): void {
  for (;;) {
    try {
      writeFileSync(path, piece, { flag: 'a' });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return;
      throw error;
    }
  }
}
