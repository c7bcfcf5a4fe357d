import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createCli } from '../cli/cli-fixture.ts';

it('the service refuses to start with settings that are not safe, says all of it, and exits 2', async (t) => {
  const cli = await createCli(t);
  const token = await cli.file('token', '\n');
  const rows: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
    [
      { HOST: '0.0.0.0' },
      [
        'APP_API_URL must be set to the public address of this service, which apps answer to',
        'ACCOUNT_AUTH must be set because HOST=0.0.0.0 is not a loopback address; set ACCOUNT_AUTH=voipgrid and VG_API_BASE_URL',
      ],
    ],
    [
      { HOST: '::', ACCOUNT_AUTH: 'none', APP_API_URL: 'https://push.example.org', PORT: 'http' },
      [
        'PORT must be a whole number from 0 to 65535',
        'ACCOUNT_AUTH=none lets anyone register a phone and is only accepted while HOST is a loopback address, not ::; set ACCOUNT_AUTH=voipgrid and VG_API_BASE_URL',
      ],
    ],
    [{ ACCOUNT_AUTH: 'voipgrid' }, ['ACCOUNT_AUTH=voipgrid needs VG_API_BASE_URL, the platform API']],
    [{ PBX_TOKEN_FILE: token }, [`PBX_TOKEN_FILE names ${token}, which is empty`]],
  ];
  const runs = await Promise.all(rows.map(([settings]) => cli.run(['serve'], settings)));
  for (const [index, [, problems]] of rows.entries()) {
    const expected = ['The settings cannot be used:', ...problems.map((problem) => `  ${problem}`), ''];
    assert.deepEqual([runs[index]?.code, runs[index]?.stdout], [2, '']);
    assert.equal(runs[index]?.stderr, expected.join('\n'));
  }
});
