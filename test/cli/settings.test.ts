import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shownSetting } from '../../src/cli/config/config-check.ts';
import { createCli } from './cli-fixture.ts';
import { APP, createCliInWorld } from './world-fixture.ts';

describe('config check', () => {
  it('shows every setting with its origin, and no secret', async (t) => {
    const cli = await createCli(t);
    const tokenFile = await cli.file('token', 'a-secret-of-the-pbx-1\n');
    const settings = { PORT: '8123', PBX_TOKEN_FILE: tokenFile, SENTRY_DSN: 'a:1', APNS_ULR: 'x' };
    const [text, json] = await Promise.all([
      cli.run(['config', 'check'], settings),
      cli.run(['config', 'check', '--json'], settings),
    ]);
    assert.deepEqual([text.code, text.stderr], [0, '']);
    assert.match(text.stdout, /^PORT +8123 +environment$/m);
    assert.match(text.stdout, /^HOST +127\.0\.0\.1 +default$/m);
    assert.match(text.stdout, /^PBX_TOKEN +\(hidden\) +file$/m);
    assert.match(text.stdout, /^PBX_ALLOW +\(not set\) +default$/m);
    assert.match(text.stdout, /^ACCOUNT_AUTH +none +default$/m);
    assert.match(text.stdout, /^APP_API_URL +http:\/\/127\.0\.0\.1:8123 +default$/m);
    assert.match(text.stdout, /^Warning: SENTRY_DSN has no effect/m);
    assert.match(text.stdout, /^Warning: APNS_ULR is not a setting/m);
    const report: unknown = JSON.parse(json.stdout);
    assert.ok(typeof report === 'object' && report !== null && 'usable' in report && 'settings' in report);
    assert.equal(report.usable, true);
    assert.ok(Array.isArray(report.settings));
    const port = report.settings.find(({ name }) => name === 'PORT');
    assert.deepEqual(port, { name: 'PORT', value: '8123', from: 'environment', secret: false });
    assert.ok(!(text.all + json.all).includes('a-secret-of-the-pbx'));
  });

  it('names every problem at once and exits 2', async (t) => {
    const cli = await createCli(t);
    const settings = { PORT: 'eighty', HOST: '0.0.0.0', FCM_URL: 'http://insecure' };
    const [text, json, other] = await Promise.all([
      cli.run(['config', 'check'], settings),
      cli.run(['config', 'check', '--json'], settings),
      cli.run(['serve'], settings),
    ]);
    for (const name of ['PORT', 'FCM_URL', 'APP_API_URL', 'ACCOUNT_AUTH']) {
      assert.match(text.stdout, new RegExp(`^Problem: ${name} must`, 'm'));
      assert.match(other.stderr, new RegExp(`^ +${name} must`, 'm'));
    }
    assert.match(text.stderr, /^The settings cannot be used: 4 problems\.\n$/);
    assert.deepEqual([text.code, json.code, other.code], [2, 2, 2]);
    const report: unknown = JSON.parse(json.stdout);
    assert.ok(typeof report === 'object' && report !== null && 'usable' in report && 'problems' in report);
    assert.equal(report.usable, false);
    assert.ok(Array.isArray(report.problems) && report.problems.length === 4);
  });

  it('other commands need only the settings that they use', async (t) => {
    const cli = await createCliInWorld(t);
    await cli.register({ account: 123456789, platform: 'android', appId: APP, token: 'some-token' });
    const unused = {
      PORT: 'eighty',
      ACCOUNT_AUTH: 'voipgrid',
      REDIS_URL: 'nonsense',
      TLS_CERT_FILE: '/none',
    };
    const [list] = await Promise.all(
      [
        ['apps', 'list'],
        ['apps', 'check'],
        ['devices', 'list'],
        ['devices', 'show', '123456789'],
        ['credentials', 'status'],
        ['migrate'],
      ].map(async (args) => {
        const run = await cli.run(args, unused);
        assert.deepEqual([run.code, run.stderr], [0, ''], args.join(' '));
        return run;
      }),
    );
    assert.match(list?.stdout ?? '', /com\.example\.phone/);
    // Each names what is wrong with those that it does use, and only that.
    const cases = [
      [['apps', 'list'], { CREDENTIALS_KEY: 'short' }, /^ {2}CREDENTIALS_KEY must/m],
      [['apps', 'check'], { FCM_URL: 'http://insecure' }, /^ {2}FCM_URL must/m],
      [['devices', 'wake', '123456789'], { PORT: 'eighty' }, /^ {2}PORT must/m],
      [['devices', 'wake', '123456789', '--direct'], { FCM_URL: 'no' }, /^ {2}FCM_URL must/m],
    ] as const;
    for (const [args, wrong, problem] of cases) {
      const { code, stderr } = await cli.run(args, { REDIS_URL: 'nonsense', ...wrong });
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, problem);
      assert.doesNotMatch(stderr, /REDIS_URL/);
    }
  });

  it('--env-file gives settings to every command, wherever it stands; the environment takes precedence', async (t) => {
    const cli = await createCli(t);
    const file = await cli.file('settings', '# a comment\nPORT=8123\nAPP_PUSH_ROUNDTRIP_WAIT="7000"\n');
    const [before, behind] = await Promise.all([
      cli.run(['--env-file', file, 'config', 'check'], { PORT: '8124' }),
      cli.run(['config', 'check', '--env-file', file]),
    ]);
    assert.match(before.stdout, /^PORT +8124 +environment$/m);
    assert.match(behind.stdout, /^PORT +8123 +environment$/m);
    for (const { stdout } of [before, behind]) assert.match(stdout, /^APP_PUSH_ROUNDTRIP_WAIT +7000 /m);
    for (const [path, code] of [
      [cli.folder, 'EISDIR'],
      [`${cli.folder}/none.env`, 'ENOENT'],
    ] as const) {
      const run = await cli.run(['--env-file', path, 'config', 'check']);
      const line = `--env-file names ${path}, which cannot be used (${code}).\n`;
      assert.deepEqual([run.code, run.stdout, run.stderr], [2, '', line]);
    }
    const skipped = await cli.file(
      'skipped',
      '# it is no setting\n\nPORT: hunter2\nTLS_KEY_FILE="a\nb"\n export HOST\nAPNS_URL=\'x\n',
    );
    const warned = await cli.run(['--env-file', skipped, 'config', 'check']);
    assert.equal(
      warned.stderr.split('The settings')[0],
      [3, 6].map((line) => `Warning: line ${line} of ${skipped} has no "=" and is skipped.\n`).join(''),
    );
    assert.ok(!warned.all.includes('hunter2'));
    const bad = await cli.file('bad', 'NODE_EXTRA_CA_CERTS=/none\n');
    const { code, stderr } = await cli.run(['--env-file', bad, 'config', 'check']);
    assert.deepEqual(
      [code, stderr],
      [2, 'NODE_EXTRA_CA_CERTS names /none, which cannot be used (ENOENT).\n'],
    );
  });

  it('a database address is shown without its password', () => {
    const cases = [
      ['sqlite:data/middleware.db', 'sqlite:data/middleware.db'],
      [
        'postgresql://me:hunter2@db.example.com:5432/calls',
        'postgresql://me:(hidden)@db.example.com:5432/calls',
      ],
      ['mysql://me:hunter2@db/calls?ssl=1', 'mysql://me:(hidden)@db/calls?(hidden)'],
      ['postgresql://me@db/calls', 'postgresql://me@db/calls'],
    ] as const;
    for (const [value, shown] of cases) {
      assert.equal(shownSetting({ name: 'DATABASE_URL', value, from: 'environment', secret: true }), shown);
    }
  });

  it('an address that cannot be used is not shown: any part of it may be a password', () => {
    const cases = [
      ['DATABASE_URL', 'hunter2'],
      ['DATABASE_URL', 'hunter2:hunter2'],
      ['DATABASE_URL', 'sqlite://me:hunter2@db/x'],
      ['DATABASE_URL', 'postgres://me:p@hunter2#x@db/x'],
      ['DATABASE_URL', 'postgres://me:p@hunter2/x@db/x'],
      ['DATABASE_URL', 'postgres://me:p@hunter2/x@db'],
      ['DATABASE_URL', 'postgres://me:p@hunter2?x@db/x'],
      ['HTTPS_PROXY', 'http://me:p@hunter2/x@proxy:3128'],
      ['VG_API_BASE_URL', 'https://me:hunter2@api.example.org'],
      ['REDIS_SERVER_LIST', ':hunter2@redis:6379'],
    ] as const;
    for (const [name, value] of cases) {
      const secret = name === 'DATABASE_URL' || name === 'HTTPS_PROXY';
      assert.equal(shownSetting({ name, value, from: 'environment', secret }), '(hidden)', value);
    }
  });
});

describe('migrate', () => {
  it('tells what it applied, once', async (t) => {
    const cli = await createCli(t);
    const first = await cli.run(['migrate']);
    assert.deepEqual([first.code, first.stderr], [0, '']);
    assert.match(first.stdout, /^Applied 001-apps-and-devices\.$/m);
    const second = await cli.run(['migrate']);
    assert.deepEqual([second.code, second.stdout], [0, 'The database is up to date.\n']);
  });

  it('a database that cannot be used is told in a line', async (t) => {
    const cli = await createCli(t);
    const text = await cli.file(
      'text.db',
      'this is a text and no database, whatever its name may say '.repeat(50),
    );
    const reference = {
      DB_ENV_HOST: '127.0.0.1',
      DB_ENV_PORT: '1',
      DB_ENV_USER: 'me',
      DB_ENV_PASSWORD: 'hunter2',
      DB_ENV_NAME: 'x',
    };
    const [unsupported, damaged, away, referenceAway] = await Promise.all([
      cli.run(['migrate'], { DATABASE_URL: 'oracle://me:hunter2@db/x' }),
      cli.run(['apps', 'list'], { DATABASE_URL: `sqlite:${text}` }),
      cli.run(['apps', 'list'], { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/x' }),
      cli.run(['apps', 'list'], { ...reference, DATABASE_URL: '' }),
    ]);
    assert.equal(unsupported.code, 2);
    assert.match(unsupported.stderr, /^ {2}DATABASE_URL must be sqlite:PATH[^\n]*\n$/m);
    assert.ok(!unsupported.all.includes('hunter2'));
    assert.equal(damaged.code, 2);
    assert.match(damaged.stderr, /^DATABASE_URL: .*not a SQLite database[^\n]*\n$/);
    const refused = 'cannot be reached: connect ECONNREFUSED 127.0.0.1:1\n';
    assert.deepEqual(
      [away.code, away.stderr],
      [1, `DATABASE_URL: storage unavailable: the database server ${refused}`],
    );
    assert.equal(referenceAway.stderr, `DB_ENV_…: storage unavailable: the database server ${refused}`);
  });
});
