import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { it } from 'node:test';
import { startTestService } from '../helpers/test-service.ts';
import { tempFolder } from '../storage/temp-folder.ts';

const page = readFileSync('docs/http-api.md', 'utf8');

/** The first block of this language below "A generated client". */
function block(language: string): string {
  const [, section = ''] = page.split('### A generated client\n');
  const found = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(section)?.[1];
  assert.ok(found, `docs/http-api.md has no ${language} for a generated client`);
  return found;
}

interface Ran {
  readonly code: ExecFileException['code'] | 0;
  readonly output: string;
}

/** Runs one of the tools in node_modules/.bin, without its reports to its makers. */
function run(tool: string, args: readonly string[], cwd = '.'): Promise<Ran> {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  return new Promise((done) => {
    execFile(
      resolve('node_modules/.bin', tool),
      args,
      { cwd, env, timeout: 120_000 },
      (error, stdout, stderr) => done({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });
}

it('/openapi.json passes the rules of redocly.yaml, with and without a listener for PBXs', async (t) => {
  for (const settings of [{}, { PBX_PORT: '0', APP_API_URL: 'https://push.example.net' }]) {
    const service = await startTestService(t, { settings });
    const linted = await run('redocly', ['lint', `${service.url}/openapi.json`]);
    assert.equal(linted.code, 0, linted.output);
    assert.match(linted.output, /Your API description is valid/);
  }
});

it('the generated client of docs/http-api.md compiles strictly, and wakes a phone', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000' } });
  const phone = await service.phone();
  const { path: folder, remove } = await tempFolder();
  t.after(remove);
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const here = (text: string) =>
    text.replaceAll('http://127.0.0.1:8080', service.url).replace('123456789', String(phone.account));
  const [tool = '', ...args] = here(/^npx (.*)$/m.exec(block('sh'))?.[1] ?? '').split(' ');
  const generated = await run(tool, args, folder);
  assert.equal(generated.code, 0, generated.output);

  const program = here(block('ts'));
  await writeFile(join(folder, 'program.ts'), program);
  await writeFile(join(folder, 'wrong.ts'), program.replace('caller_id:', 'caller_id: 5, caller:'));
  const flags =
    '--strict --skipLibCheck --noEmit --module nodenext --types node --allowImportingTsExtensions';
  const compiled = await run('tsc', [...flags.split(' '), 'program.ts', 'wrong.ts'], folder);
  const errors = compiled.output.split('\n').filter((line) => line.includes('error TS'));
  assert.match(errors[0] ?? '', /^wrong\.ts\(\d+,\d+\): error TS\d+: .*number/, 'the types know the fields');
  assert.deepEqual(
    errors.filter((line) => !line.startsWith('wrong.ts')),
    [],
    compiled.output,
  );
  const ran = await run('node', ['--disable-warning=ExperimentalWarning', 'program.ts'], folder);
  assert.deepEqual(ran, { code: 0, output: 'status=ACK ready\n' });
});
