import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

/** A call that FreeSWITCH's script handles, on a machine without FreeSWITCH. */
export interface ScriptedCall {
  /** Its `call_id`. */
  readonly uuid: string;
  /** The phone is registered from now on, or no longer. */
  setRegistered(registered: boolean): Promise<void>;
  /** The next bridge ends with this word of FreeSWITCH's; with SUCCESS unless told. */
  setBridged(word: string): Promise<void>;
  /** The caller hangs up. */
  hangUp(): Promise<void>;
  /** Runs the script to its end; returns the applications that it executed and its log lines, in order. */
  run(account: number, caller: { readonly number?: string; readonly name?: string }): Promise<string[]>;
}

const SCRIPT = 'integrations/freeswitch/scripts/wake.lua';

/** Makes a call; `urls` and `token` are what an operator writes into the script. */
export async function scriptedCall(
  t: Pick<TestContext, 'after'>,
  settings: { readonly urls: readonly string[]; readonly token?: string },
): Promise<ScriptedCall> {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-freeswitch-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  const script = join(folder, 'wake.lua');
  await writeFile(script, withSettings(readFileSync(SCRIPT, 'utf8'), settings));
  const uuid = randomUUID();
  const set = (name: string, text: string) => writeFile(join(folder, name), text);
  return {
    uuid,
    setRegistered: (registered) =>
      registered
        ? set('registered', 'sofia/internal/sip:x')
        : rm(join(folder, 'registered'), { force: true }),
    setBridged: (word) => set('bridged', word),
    hangUp: () => set('hungup', ''),
    run: async (account, caller) => {
      await set('var-context', 'default');
      await set('var-caller_id_number', caller.number ?? '');
      await set('var-caller_id_name', caller.name ?? '');
      const fake = join(import.meta.dirname, 'fake-freeswitch.lua');
      await promisify(execFile)('lua5.4', [fake, script, folder, uuid, String(account), 'sip.example.org']);
      return (await readFile(join(folder, 'done'), 'utf8')).trimEnd().split('\n');
    },
  };
}

function withSettings(
  text: string,
  { urls, token }: { readonly urls: readonly string[]; readonly token?: string },
): string {
  const list = urls.map((url) => `"${url}"`).join(', ');
  return replaced(
    replaced(text, /^local URLS = \{.*\}$/m, `local URLS = { ${list} }`),
    /^local TOKEN = nil$/m,
    token === undefined ? 'local TOKEN = nil' : `local TOKEN = "${token}"`,
  );
}

function replaced(text: string, line: RegExp, by: string): string {
  if (!line.test(text)) throw new Error(`${SCRIPT} has no line ${line}`);
  return text.replace(line, () => by);
}
