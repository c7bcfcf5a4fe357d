import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mysqlFault } from '../../src/storage/mysql/mysql-fault.ts';
import { mysqlUnsuited } from '../../src/storage/mysql/open-mysql.ts';

it('MySQL and MariaDB of before they could compare text exactly are refused, others are not', () => {
  for (const version of ['5.6.51', '5.7.44-log', '8.0.16', '10.1.48-MariaDB', '5.5.68-MariaDB']) {
    assert.match(mysqlUnsuited(version) ?? '', /MySQL 8\.0\.17 or MariaDB 10\.2/, version);
  }
  for (const version of [
    '8.0.17',
    '8.0.36-28',
    '8.4.0',
    '9.1.0',
    '10.2.0-MariaDB',
    '11.4.2-MariaDB-log',
    '',
  ]) {
    assert.equal(mysqlUnsuited(version), undefined, version);
  }
});

it('what a server says when it can be asked nothing counts as away', () => {
  const said = (errno: number, sqlState: string) => Object.assign(new Error('said'), { errno, sqlState });
  // A Galera node outside its cluster; a connection that the server aborted.
  assert.equal(mysqlFault(said(1047, '08S01')), 'gone');
  assert.equal(mysqlFault(said(1184, '08S01')), 'gone');
  assert.equal(mysqlFault(said(1064, '42000')), undefined);
});
