import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { nodeFlags, startArguments } from '../../harness/start-command.ts';

it('however the service is started, node gets the same flags', () => {
  assert.deepEqual(startArguments().slice(-3), ['--', 'src/main.ts', 'serve']);
  const flags = [...nodeFlags(), '--'];
  assert.ok(flags.includes('--v8-pool-size=1'));
  const [shebang = ''] = readFileSync('src/main.ts', 'utf8').split('\n');
  assert.equal(shebang, `#!/usr/bin/env -S node ${flags.join(' ')}`);
  const [, image = ''] = /^CMD (.*)$/m.exec(readFileSync('deploy/Dockerfile', 'utf8')) ?? [];
  assert.deepEqual(JSON.parse(image), ['node', ...flags, 'dist/main.js', 'serve']);
  const [, command] =
    /^RUN printf '#!\/bin\/sh\\nexec (.*)\\n' \\$/m.exec(readFileSync('deploy/Dockerfile', 'utf8')) ?? [];
  assert.equal(command, `node ${flags.join(' ')} /app/dist/main.js "$@"`);
});
