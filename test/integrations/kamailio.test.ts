import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { requireServer, skipWithout } from '../../harness/find-server.ts';
import { CALL_OUTCOMES } from '../../src/calls/call-outcome.ts';

const FOLDER = 'integrations/kamailio';
function read(name: string) {
  return readFileSync(join(FOLDER, name), 'utf8');
}
const configuration = `${read('kamailio.cfg')}${read('wake.cfg')}`;
const readme = read('README.md');

it('every outcome has its SIP answer, in the configuration and in its README', () => {
  for (const outcome of CALL_OUTCOMES) {
    if (outcome !== 'ready') assert.match(configuration, new RegExp(`case "${outcome}":`), outcome);
    assert.match(readme, new RegExp(`^\\|.*\`${outcome}\`.*\\|`, 'm'), outcome);
  }
});

it('README.md has every define, with its default, and no other', () => {
  const withDefault = [...configuration.matchAll(/^#!ifndef (\w+)\n#!define \1 (.*)$/gm)];
  for (const [, name = '', value = ''] of withDefault) {
    assert.ok(readme.includes(`| \`${name}\` | \`${value}\` |`), `${name} with its default ${value}`);
  }
  const without = [...configuration.matchAll(/^##!define (\w+)|^#!ifdef (WITH_\w+)$/gm)];
  const defined = [...withDefault.map((match) => match[1]), ...without.map((match) => match[1] ?? match[2])];
  const told = [...readme.matchAll(/^\| `([A-Z_0-9]+)` \|/gm)].map((match) => match[1]);
  assert.deepEqual([...new Set(told)].sort(), [...new Set(defined)].sort());
});

/** Defines together: all those that need no modules beside the two packages. */
const SETS: readonly (readonly string[])[] = [
  [],
  ['WITH_TRACE', 'TRACE_FOLDER="/tmp"', 'WAKE_URL_2="http://192.0.2.12:8080"'],
  ['WAKE_TOKEN="0123456789abcdef"', 'WAKE_FALLBACK="192.0.2.30:5060"', 'PBX_URI="sip:192.0.2.20"'],
];

it('Kamailio takes the configuration', { skip: skipWithout('Kamailio') }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-kamailio-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const kamailio = join(requireServer('Kamailio'), 'kamailio');
  for (const defines of SETS) {
    const args = ['DB_MODULE="db_text.so"', ...defines].flatMap((define) => ['-A', define]);
    const file = join(process.cwd(), FOLDER, 'kamailio.cfg');
    const { stderr } = await promisify(execFile)(kamailio, ['-c', '-f', file, '-Y', folder, ...args]);
    assert.match(stderr, /config file ok/, defines.join());
    assert.doesNotMatch(stderr, /WARNING|ERROR|CRITICAL/, defines.join());
  }
});
