import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from './child.ts';
import { SIP_PORT } from './network.ts';

/** A voicemail server that takes every call. */
export interface Voicemail {
  close(): Promise<void>;
}

const SCENARIO = fileURLToPath(new URL('./scenarios/voicemail.xml', import.meta.url));

/** Starts SIPp. `folder`: where its files go. */
export async function startVoicemail(address: string, folder: string): Promise<Voicemail> {
  const own = await mkdtemp(join(folder, 'voicemail-'));
  const sipp = startChild(
    'sipp',
    ['-sf', SCENARIO, '-i', address, '-p', String(SIP_PORT), '-mi', address, '-nostdin', '-timeout', '120s'],
    { cwd: own },
  );
  return { close: () => sipp.end('SIGKILL') };
}
