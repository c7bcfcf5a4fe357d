import assert from 'node:assert/strict';
import { it } from 'node:test';
import { read } from './read.ts';

const PUBLIC_URL = { APP_API_URL: 'https://push.example.org' };
const PLATFORM = { ACCOUNT_AUTH: 'voipgrid', VG_API_BASE_URL: 'https://api.example.org' };

it('behind a proxy on this machine it must be said who may register a phone', () => {
  for (const behind of [PUBLIC_URL, { TRUST_PROXY: '127.0.0.1' }, { APP_API_URL: 'http://192.0.2.1' }]) {
    const { problems, config } = read(behind);
    assert.equal(config, undefined);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /^ACCOUNT_AUTH must be set because (APP_API_URL|TRUST_PROXY)/);
    assert.deepEqual(read({ ...behind, ...PLATFORM }).problems, []);
  }
  for (const APP_API_URL of ['http://127.0.0.1:8080', 'http://localhost:8080', 'https://[::1]', '']) {
    const { problems, warnings } = read({ APP_API_URL });
    assert.deepEqual([problems, warnings], [[], []], APP_API_URL);
  }
});

it('what leaves a service open to others than it was meant for is told', () => {
  const proxied = { ...PUBLIC_URL, ...PLATFORM, TRUST_PROXY: '127.0.0.1' };
  const rows: readonly (readonly [Readonly<Record<string, string>>, readonly RegExp[]])[] = [
    [proxied, []],
    [{ HOST: '0.0.0.0', ...PUBLIC_URL, ...PLATFORM }, []],
    [{ ...proxied, TRUST_PROXY: '' }, [/^TRUST_PROXY is not set although APP_API_URL is public/]],
    [{ ...proxied, ACCOUNT_AUTH: 'none' }, [/^ACCOUNT_AUTH=none lets anyone who reaches APP_API_URL/]],
    [{ ...proxied, TRUST_PROXY: '10.0.0.1, 0.0.0.0/0' }, [/^TRUST_PROXY holds 0\.0\.0\.0\/0/]],
    [{ ...proxied, TRUST_PROXY: '::/0' }, [/^TRUST_PROXY holds ::\/0/]],
    [{ ...proxied, VG_API_BASE_URL: 'http://api.example.org' }, [/^VG_API_BASE_URL is an http:\/\/ address/]],
    [{ ...proxied, VG_API_BASE_URL: 'http://127.0.0.1:8000' }, []],
  ];
  for (const [settings, expected] of rows) {
    const { warnings, problems } = read(settings);
    assert.deepEqual(problems, []);
    assert.equal(warnings.length, expected.length, warnings.join());
    for (const [index, pattern] of expected.entries()) assert.match(warnings[index] ?? '', pattern);
  }
});
