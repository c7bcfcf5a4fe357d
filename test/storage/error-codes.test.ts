import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import pg from 'pg';
import { mysqlFault } from '../../src/storage/mysql/mysql-fault.ts';
import { postgresFault } from '../../src/storage/postgres/postgres-fault.ts';
import { DeadlineMissed } from '../../src/storage/server/deadline-missed.ts';
import { sqliteFault } from '../../src/storage/sqlite/sqlite-fault.ts';
import type { StorageFault } from '../../src/storage/storage-unavailable.ts';

type Codes<Code> = Partial<Readonly<Record<StorageFault, readonly Code[]>>>;

/** An error with what the driver adds to it. */
function errorWith(fields: object, message = 'what the driver says'): Error {
  return Object.assign(new Error(message), fields);
}

/** Holds every code to its fault. */
function check<Code>(expected: Codes<Code>, faultOf: (code: Code) => StorageFault | undefined): void {
  for (const [fault, codes] of Object.entries(expected))
    for (const code of codes) assert.equal(faultOf(code), fault, String(code));
}

const NETWORK_CODES = [
  ...[
    'EADDRNOTAVAIL',
    'EAI_AGAIN',
    'ECONNABORTED',
    'ECONNREFUSED',
    'ECONNRESET',
    'EHOSTDOWN',
    'EHOSTUNREACH',
  ],
  ...['EMFILE', 'ENETDOWN', 'ENETUNREACH', 'ENOENT', 'ENOTFOUND', 'EPIPE', 'ERR_STREAM_DESTROYED'],
  ...['ERR_STREAM_WRITE_AFTER_END', 'ETIMEDOUT'],
];
const TLS_CODES = [
  ...['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_SSL_WRONG_VERSION_NUMBER', 'CERT_HAS_EXPIRED'],
  ...['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
];

function checkNetwork(faultOf: (error: Error) => StorageFault | undefined): void {
  for (const code of NETWORK_CODES) assert.equal(faultOf(errorWith({ code })), 'gone', code);
  for (const code of TLS_CODES) assert.equal(faultOf(errorWith({ code })), 'untrusted', code);
  assert.equal(faultOf(new AggregateError([])), 'gone');
  assert.equal(faultOf(new Error('The server does not support SSL connections')), 'untrusted');
  assert.equal(faultOf(new Error('Server does not support secure connection')), 'untrusted');
  assert.equal(faultOf(errorWith({ code: 'ERR_INVALID_ARG_TYPE' })), undefined);
}

describe('what an error of a database means', () => {
  it('SQLite: primary codes, also as part of an extended one', () => {
    const expected: Codes<number> = {
      busy: [5, 6, 15],
      'read-only': [8],
      damaged: [11, 26],
      full: [13],
      io: [3, 7, 10, 14],
    };
    check(expected, (errcode) => sqliteFault(errorWith({ code: 'ERR_SQLITE_ERROR', errcode })));
    check(expected, (code) => sqliteFault(errorWith({ code: 'ERR_SQLITE_ERROR', errcode: code + 2 * 256 })));
  });

  it('SQLite: rows that another transaction changed, a closed database, and mistakes of ours', () => {
    const faultOf = (errcode: unknown) => sqliteFault(errorWith({ code: 'ERR_SQLITE_ERROR', errcode }));
    // A violated check or NOT NULL (275, 1299) and wrong SQL (1) are no conflicts.
    check({ conflict: [787, 1555, 2067] }, faultOf);
    assert.deepEqual([275, 1299, 1, '5'].map(faultOf), [undefined, undefined, undefined, undefined]);
    assert.equal(sqliteFault(errorWith({ code: 'ERR_INVALID_STATE' })), 'closed');
    assert.equal(sqliteFault({ code: 'ERR_SQLITE_ERROR', errcode: 5 }), undefined);
    assert.equal(sqliteFault(new Error('no code')), undefined);
    assert.equal(sqliteFault(errorWith({ code: 'ERR_SQLITE_ERROR' })), undefined);
  });

  it('PostgreSQL: SQLSTATE codes and classes', () => {
    const expected: Codes<string> = {
      conflict: ['23503', '23505', '40001', '40P01'],
      'read-only': ['25006'],
      slow: ['25P03', '57014'],
      refused: ['3D000', '28000', '28P01'],
      forbidden: ['42501'],
      full: ['53100'],
      crowded: ['53300', '53400'],
      busy: ['55P03'],
      io: ['58030', '53000', '53200', '58000'],
      damaged: ['XX001', 'XX002'],
      gone: ['08006', '57P01', '57P03'],
    };
    const faultOf = (code: string | undefined) =>
      postgresFault(Object.assign(new pg.DatabaseError('what it says', 1, 'error'), { code }));
    check(expected, faultOf);
    assert.deepEqual(['42601', '23502', undefined].map(faultOf), [undefined, undefined, undefined]);
  });

  it('PostgreSQL: lost connections, the network and TLS', () => {
    for (const message of [
      'Connection terminated unexpectedly',
      'Client has encountered a connection error and is not queryable',
      'Client was closed and is not queryable',
      'timeout exceeded when trying to connect',
      'timeout expired',
    ])
      assert.equal(postgresFault(new Error(message)), 'gone', message);
    checkNetwork(postgresFault);
    assert.equal(postgresFault(new DeadlineMissed(10)), 'slow');
    assert.equal(postgresFault('timeout expired'), undefined);
  });

  it('MySQL and MariaDB: error numbers', () => {
    const expected: Codes<number> = {
      full: [1021, 1114],
      io: [1030, 1037, 1041],
      damaged: [1034, 1712],
      crowded: [1040, 1135, 1203, 1226],
      refused: [1044, 1045, 1049, 1129, 1130, 1251, 1698, 1820, 1862, 3118, 3159, 4151],
      gone: [1047, 1053, 1927, 4031],
      conflict: [1062, 1213, 1451, 1452],
      forbidden: [1142, 1143, 1227],
      busy: [1205, 1223],
      'read-only': [1290, 1792, 1836],
      slow: [1317, 1969, 3024],
    };
    const faultOf = (errno: unknown) => mysqlFault(errorWith({ errno, sqlState: '42000' }));
    check(expected, faultOf);
    assert.deepEqual([1064, 1054, '1205'].map(faultOf), [undefined, undefined, undefined]);
  });

  it('MySQL and MariaDB: lost connections, the network and TLS', () => {
    for (const code of ['PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT'])
      assert.equal(mysqlFault(errorWith({ code })), 'gone', code);
    for (const message of [
      "Can't add new command when connection is in closed state",
      'Queue limit reached.',
    ])
      assert.equal(mysqlFault(new Error(message)), 'gone', message);
    assert.equal(mysqlFault(errorWith({ errno: 1158, sqlState: '08S01' })), 'gone');
    assert.equal(mysqlFault(errorWith({ code: 'HANDSHAKE_NO_SSL_SUPPORT' }, 'no')), 'untrusted');
    checkNetwork(mysqlFault);
    assert.equal(mysqlFault(new DeadlineMissed(10)), 'slow');
    assert.equal(mysqlFault({ errno: 1205 }), undefined);
  });
});
