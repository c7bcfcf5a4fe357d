import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** A copy of the repository in which sources may be broken, with a place for its tests' temporary files. */
export interface Lane {
  readonly folder: string;
  readonly temporary: string;
}

/** The lanes of a run, and what Node compiled for all of them. */
export interface Sandbox {
  readonly lanes: readonly Lane[];
  readonly compiled: string;
  remove(): Promise<void>;
}

/** Copies what git knows or would add, so that a run that is killed leaves no fault in the sources themselves. */
export async function createSandbox(count: number): Promise<Sandbox> {
  const root = await mkdtemp(join(tmpdir(), 'mutation-'));
  const remove = () => rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  try {
    // Database servers do not run as root, and keep their files below.
    await chmod(root, 0o755);
    const lanes: Lane[] = [];
    for (let number = 0; number < count; number += 1) lanes.push(await createLane(root, number));
    return { lanes, compiled: join(root, 'compiled'), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

const LIST = ['ls-files', '--cached', '--others', '--exclude-standard', '--exclude=node_modules', '-z'];

async function createLane(root: string, number: number): Promise<Lane> {
  const lane = { folder: join(root, `${number}`), temporary: join(root, `t${number}`) };
  await mkdir(lane.temporary);
  const files = execFileSync('git', LIST, { encoding: 'utf8' }).split('\0');
  for (const file of files) if (file !== '') await copyInto(lane.folder, file);
  await symlink(resolve('node_modules'), join(lane.folder, 'node_modules'));
  return lane;
}

async function copyInto(folder: string, file: string): Promise<void> {
  const target = join(folder, file);
  await mkdir(dirname(target), { recursive: true });
  // git also lists a file that was deleted and not committed.
  await copyFile(file, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
