import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { readDatabaseAddress, shownDatabase } from '../../src/storage/address/database-address.ts';
import { read } from './read.ts';

const CA = createThrowAwayCa().certificate;

const REFERENCE = {
  DB_ENV_NAME: 'middleware',
  DB_ENV_USER: 'me@here',
  DB_ENV_PASSWORD: 'hunter2/#?@:%',
  DB_ENV_HOST: 'localhost',
};

it('a database server is an address with user, host and database; ports and TLS have defaults', () => {
  const rows = [
    ['postgres://me:pw@db/calls', ['postgres', 'db', 5432, 'me', 'pw', 'calls', 'off']],
    ['postgresql://me@[::1]:1/calls', ['postgres', '::1', 1, 'me', '', 'calls', 'off']],
    [
      'mysql://me:p%40w@db/calls?sslmode=verify-full',
      ['mysql', 'db', 3306, 'me', 'p@w', 'calls', 'verify-full'],
    ],
    ['mariadb://me:pw@db/calls?ssl=true', ['mysql', 'db', 3306, 'me', 'pw', 'calls', 'verify-full']],
    [
      'mysql://me:pw@10.0.0.1/calls?sslmode=VERIFY_CA',
      ['mysql', '10.0.0.1', 3306, 'me', 'pw', 'calls', 'verify-ca'],
    ],
    ['postgres://me:pw@db/calls?sslmode=require', ['postgres', 'db', 5432, 'me', 'pw', 'calls', 'encrypt']],
    [
      'postgres://me:pw@db/calls?sslrootcert=/ca.pem',
      ['postgres', 'db', 5432, 'me', 'pw', 'calls', 'verify-full'],
    ],
    [
      'postgres://me:pw@db/calls?sslmode=require&sslrootcert=/ca.pem',
      ['postgres', 'db', 5432, 'me', 'pw', 'calls', 'verify-ca'],
    ],
    [
      'mysql://me:pw@db/calls?ssl-mode=REQUIRED&charset=UTF8MB4',
      ['mysql', 'db', 3306, 'me', 'pw', 'calls', 'encrypt'],
    ],
    ['postgres://me:pw@db/calls?sslmode=no-verify', ['postgres', 'db', 5432, 'me', 'pw', 'calls', 'encrypt']],
    [
      'postgres://me:pw@db/calls?pgbouncer=true&connection_limit=1&schema=public',
      ['postgres', 'db', 5432, 'me', 'pw', 'calls', 'off'],
    ],
    [
      'postgres://db/calls?user=me&password=p%26w&sslmode=require&sslnegotiation=direct&uselibpqcompat=true',
      ['postgres', 'db', 5432, 'me', 'p&w', 'calls', 'encrypt'],
    ],
    ['postgres://me@db/calls?password=', ['postgres', 'db', 5432, 'me', '', 'calls', 'off']],
    ['mysql://me:pw@db/calls?sslaccept=strict', ['mysql', 'db', 3306, 'me', 'pw', 'calls', 'verify-full']],
    [
      'mysql://me:pw@db/calls?sslaccept=accept_invalid_certs',
      ['mysql', 'db', 3306, 'me', 'pw', 'calls', 'encrypt'],
    ],
    [
      'mysql://me:pw@db/calls?ssl={"rejectUnauthorized":true}',
      ['mysql', 'db', 3306, 'me', 'pw', 'calls', 'verify-full'],
    ],
    ['postgres://me:pw@db/calls?ssl=0', ['postgres', 'db', 5432, 'me', 'pw', 'calls', 'off']],
  ] as const;
  for (const [text, expected] of rows) {
    const reading = readDatabaseAddress(text);
    assert.ok(reading.ok, text);
    const { engine, host, port, user, password, database, tls } = reading.address;
    assert.deepEqual([engine, host, port, user, password, database, tls], expected);
    assert.equal(read({ DATABASE_URL: text }, { '/ca.pem': CA }).config?.databaseUrl, text);
  }
});

it('a Unix socket is taken without a warning, and shown without the password', () => {
  const rows = [
    ['postgres://me:hunter2@/x?host=/run/postgresql', 'postgres://me@/x?host=/run/postgresql'],
    ['postgres://me:hunter2@%2Frun%2Fpostgresql/x', 'postgres://me@/x?host=/run/postgresql'],
    ['mysql://me:hunter2@/x?socket=/run/mysqld/mysqld.sock', 'mysql://me@/x?socket=/run/mysqld/mysqld.sock'],
  ] as const;
  for (const [DATABASE_URL, shown] of rows) {
    const { config, problems, warnings } = read({ DATABASE_URL });
    assert.deepEqual([problems, warnings], [[], []], DATABASE_URL);
    assert.equal(shownDatabase(config?.databaseUrl ?? ''), shown);
  }
  const { config } = read({ ...REFERENCE, DB_ENV_HOST: '/run/mysqld/mysqld.sock' });
  const reading = readDatabaseAddress(config?.databaseUrl ?? '');
  assert.deepEqual(reading.ok && [reading.address.socket, reading.address.password], [
    '/run/mysqld/mysqld.sock',
    REFERENCE.DB_ENV_PASSWORD,
  ]);
});

it('an address that cannot be used is a problem that names the setting and quotes nothing', () => {
  const rows = [
    ['postgres://me:hunter2@db', /names no database/],
    ['postgres://db/hunter2', /names no user/],
    ['mysql://me:hun/ter2@db/x', /percent-encoded/],
    ['postgres://me:p@hunter2/x@db', /percent-encoded/],
    ['mysql://me:hun%ter2@db/x', /holds a %/],
    ['mysql://me:hunter2@db/x?sslmode=prefer', /sslmode= one of/],
    ['mysql://me:hunter2@db/x?ssl=hunter2', /ssl= true or false/],
    ['mysql://me:hunter2@db/x?sslmode=require&sslcert=/c.pem', /sslcert= and sslkey=/],
    ['mysql://me:hunter2@db/x?sslkey=/c.key', /sslcert= and sslkey=/],
    ['mysql://me:hunter2@db/x?sslmode=disable&sslrootcert=/ca.pem', /sslrootcert=/],
    ['mysql://me:hunter2@db/x?sslcert=/c.pem&sslkey=/c.key', /without sslmode=/],
    ['mysql://me:hunter2@db/x?sslmode=require&ssl=true', /both sslmode= and ssl=/],
    ['mysql://me:hunter2@db/x?password=hunter2', /a user or password before the host and another/],
    ['postgres://me:hunter2@db/x?user=you', /a user or password before the host and another/],
    ['mysql://me:hunter2@db/x?hun%20ter2', /has an unknown option; leave it out$/],
    ['mysql://me:hunter2@db/x?foo=1', /has the unknown option foo=; leave it out$/],
    ['mysql://me:hunter2@db/x?sslmdoe=require', /option sslmdoe=; write sslmode=, or leave it out$/],
    ['postgres://me:hunter2@db/x?schema=calls', /the option schema= with a value .*; leave it out$/],
    ['mysql://me:hunter2@db/x?sslaccept=hunter2', /sslaccept= with a value .*; write sslmode=$/],
    ['mysql://me:hunter2@db/x?sslaccept=strict&sslmode=disable', /leave out sslaccept=$/],
    ['postgres://me:hunter2@h1:5432,h2:5432/x', /names several hosts/],
    ['postgres://me:hunter2@db/x?host=h1,h2', /names several hosts/],
    ['postgres://me:hunter2@db:543x/x', /has a port that is not a number/],
    ['postgres://me:hunter2/1@db/x', /percent-encoded/],
    ['postgres://me:[YOUR-PASSWORD]@db/x', /a placeholder in place of the password/],
    ['jdbc:postgresql://db/x?user=me&password=hunter2', /must begin with postgres:\/\/, without jdbc:/],
    ['mysql2://me:hunter2@db/x', /must begin with mysql:\/\//],
    ['"postgres://me:hunter2@db/x"', /; leave out the quotes around it$/],
    [
      'postgres://me:hunter2@db/x?sslrootcert=/none',
      /sslrootcert names \/none, which cannot be read \(ENOENT\)$/,
    ],
    [
      'postgres://me:hunter2@db/x?sslmode=require&sslcert=/none&sslkey=/none',
      /sslcert names \/none, which cannot be read \(ENOENT\)$/,
    ],
    ['mysql://me:hunter2@db/x?application_name=y', /the unknown option application_name=/],
    ['postgres://me:hunter2@db/x?socket=/hunter2', /the unknown option socket=/],
    ['postgres://me:hunter2@db/x?host=a&host=hunter2', /the option host= twice/],
    ['postgres://me:hunter2@db/x?port=hunter2', /port= from 1 to 65535/],
    ['postgres://me:hunter2@db/x?charset=latin1', /another character set than UTF-8/],
    ['postgres://me:hunter2@db/x?target_session_attrs=read-only', /takes no changes/],
    ['postgres://me:hunter2@/x', /names no host/],
    ['postgres://me:hunter2@/x?host=/run/postgresql&sslmode=require', /encryption on a Unix socket/],
    ['mysql://me:hunter2@/x?socket=mysqld.sock', /the whole path of the Unix socket/],
    ['mysql://me:hunter2@10.0.0.1/x?sslmode=verify-full', /write a host name/],
    ['mongodb://me:hunter2@db/x', /must be sqlite:PATH/],
  ] as const;
  for (const [DATABASE_URL, expected] of rows) {
    const { config, problems } = read({ DATABASE_URL });
    assert.equal(config, undefined, DATABASE_URL);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', expected);
    assert.match(problems[0] ?? '', /^DATABASE_URL /);
    assert.doesNotMatch(problems[0] ?? '', /hun/);
  }
});

it('no text makes the reading of an address throw', () => {
  const address = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.string().map((text) => `mysql://${text}`),
  );
  fc.assert(fc.property(address, (text) => typeof readDatabaseAddress(text).ok === 'boolean'));
});

it("the reference's settings are a MySQL address, whatever characters they hold", () => {
  const addressOf = (more: Readonly<Record<string, string>>, files = {}) => {
    const { config, problems } = read({ ...REFERENCE, ...more }, files);
    assert.deepEqual(problems, []);
    const reading = readDatabaseAddress(config?.databaseUrl ?? '');
    assert.ok(reading.ok);
    return reading.address;
  };
  const { engine, host, port, user, password, database } = addressOf({});
  assert.deepEqual(
    [engine, host, port, user, password, database],
    ['mysql', 'localhost', 3306, REFERENCE.DB_ENV_USER, REFERENCE.DB_ENV_PASSWORD, 'middleware'],
  );
  for (const DB_ENV_HOST of ['::1', '[::1]']) {
    const { host, port } = addressOf({ DB_ENV_HOST, DB_ENV_PORT: '3307' });
    assert.deepEqual([host, port], ['::1', 3307]);
  }
  const fromFile = addressOf(
    { DB_ENV_PASSWORD: '', DB_ENV_PASSWORD_FILE: '/run/pw' },
    { '/run/pw': 'other\n' },
  );
  assert.equal(fromFile.password, 'other');
  const found = read(REFERENCE).found.find(({ name }) => name === 'DB_ENV_PASSWORD');
  assert.equal(found?.secret, true);
  const unused = read(REFERENCE).found.find(({ name }) => name === 'DATABASE_URL');
  assert.equal(read(REFERENCE).config?.databaseSetting, 'DB_ENV_…');
  assert.equal(unused?.value, '', 'the default is not shown as if it were used');
});

it("half of the reference's settings are a problem, and beside DATABASE_URL they have no effect", () => {
  assert.deepEqual(read({ DB_ENV_HOST: 'db' }).problems, [
    'DB_ENV_USER must be set with the other DB_ENV_… settings, or DATABASE_URL',
    'DB_ENV_NAME must be set with the other DB_ENV_… settings, or DATABASE_URL',
  ]);
  for (const alone of [{ DB_ENV_PASSWORD: 'pw' }, { DB_ENV_PORT: '3307' }]) {
    assert.equal(read(alone).problems.length, 3, 'never a new SQLite file in place of a database');
  }
  const strange = read({ ...REFERENCE, DB_ENV_HOST: 'a b/c' });
  assert.deepEqual(strange.problems, [
    'DB_ENV_HOST must be an IP address, a host name, or the path of a Unix socket',
  ]);
  const both = read({ ...REFERENCE, DATABASE_URL: 'sqlite:a.db' });
  assert.equal(both.config?.databaseUrl, 'sqlite:a.db');
  assert.equal(both.warnings.length, 4);
  for (const warning of both.warnings) assert.match(warning, /^DB_ENV_[A-Z]+ has no effect/);
});

it('limits of the database have bounds, and what makes a caller wait is warned of', () => {
  assert.deepEqual(read({}).config?.databaseLimits, { poolSize: 10, timeoutMs: 800 });
  const wrong = read({
    DATABASE_POOL_SIZE: '0',
    DATABASE_TIMEOUT: '99',
    DB_ENV_PORT: '0',
    DATABASE_URL: 'sqlite:a.db',
  });
  assert.deepEqual(
    wrong.problems.map((problem) => problem.split(' ')[0]),
    ['DB_ENV_PORT', 'DATABASE_POOL_SIZE', 'DATABASE_TIMEOUT'],
  );
  const far = read({ DATABASE_URL: 'postgres://me:pw@db/x', DATABASE_TIMEOUT: '2000' });
  assert.match(far.warnings.join('\n'), /not encrypted[^\n]*\n.*DATABASE_TIMEOUT=2000/);
  assert.deepEqual(read({ DATABASE_URL: 'postgres://me:pw@127.0.0.1/x' }).warnings, []);
  assert.deepEqual(read({ DATABASE_URL: 'postgres://me:pw@db/x?sslmode=verify-full' }).warnings, []);
});
