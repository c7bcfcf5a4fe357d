import assert from 'node:assert/strict';
import { it } from 'node:test';
import { read } from './read.ts';

it('PBXs share the listener of the apps until PBX_PORT is set', () => {
  const rows = [
    [{}, undefined],
    [{ PBX_PORT: '' }, undefined],
    [{ PBX_PORT: '8081' }, { host: '127.0.0.1', port: 8081 }],
    [
      { PBX_PORT: '8081', HOST: '127.0.0.2' },
      { host: '127.0.0.2', port: 8081 },
    ],
    [
      { PBX_PORT: '8081', PBX_HOST: '10.0.0.1' },
      { host: '10.0.0.1', port: 8081 },
    ],
    [
      { PBX_PORT: '8080', PBX_HOST: '10.0.0.1' },
      { host: '10.0.0.1', port: 8080 },
    ],
    [
      { PBX_PORT: '0', PORT: '0' },
      { host: '127.0.0.1', port: 0 },
    ],
  ] as const;
  for (const [env, listener] of rows) {
    const report = read(env);
    assert.deepEqual([report.problems, report.warnings], [[], []]);
    assert.deepEqual(report.config?.pbxListener, listener);
  }
});

it('two listeners on one port are a problem of the settings, not of the start', () => {
  const rows = [
    [{ PBX_PORT: '8080' }, 'PBX_PORT and PORT are both 8080; set another PBX_PORT'],
    [{ PBX_PORT: '8080', PBX_HOST: '0.0.0.0' }, 'PBX_PORT and PORT are both 8080; set another PBX_PORT'],
    [
      { PBX_PORT: '9000', PBX_HOST: '::' },
      'PBX_PORT and PROMETHEUS_PORT are both 9000; set another PBX_PORT',
    ],
    [{ PORT: '9000' }, 'PORT and PROMETHEUS_PORT are both 9000; set another'],
    [{ PBX_PORT: 'x' }, 'PBX_PORT must be a whole number from 0 to 65535'],
    [{ PBX_PORT: '8081', PBX_HOST: 'a b' }, 'PBX_HOST must be an IP address or a host name'],
    [{ PBX_HOST: '10.0.0.1' }, 'PBX_PORT must be set with PBX_HOST: without it PBXs ask at HOST and PORT'],
  ] as const;
  for (const [env, problem] of rows) {
    const report = read(env);
    assert.equal(report.config, undefined);
    assert.deepEqual(report.problems, [problem]);
  }
});
