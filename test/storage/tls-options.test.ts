import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { readDatabaseAddress } from '../../src/storage/address/database-address.ts';
import { tlsOptions } from '../../src/storage/server/tls-options.ts';
import { tempFolder } from './temp-folder.ts';

it("the drivers get the address's certificates and key, and none that it does not name", async (t) => {
  const folder = await tempFolder();
  t.after(() => folder.remove());
  const authority = createThrowAwayCa();
  const client = authority.issueClient({ commonName: 'middleware' });
  const pems = { ca: authority.certificate, cert: client.certificate, key: client.privateKey };
  for (const [name, pem] of Object.entries(pems)) await writeFile(join(folder.path, name), pem);
  const options = (search: string) => {
    const reading = readDatabaseAddress(`postgres://u:p@db.example/calls?${search}`);
    return reading.ok ? tlsOptions(reading.address) : assert.fail(reading.problem);
  };
  const file = (option: string, name: string) => `${option}=${join(folder.path, name)}`;
  const [ca, cert, key] = [file('sslrootcert', 'ca'), file('sslcert', 'cert'), file('sslkey', 'key')];
  assert.deepEqual(await options('sslmode=disable'), undefined);
  assert.deepEqual(await options('sslmode=require'), { rejectUnauthorized: false });
  const all = await options(`sslmode=verify-full&${ca}&${cert}&${key}`);
  assert.deepEqual(Object.keys(all ?? {}), ['rejectUnauthorized', 'ca', 'cert', 'key']);
  assert.equal(all?.rejectUnauthorized, true);
  for (const name of ['ca', 'cert', 'key'] as const) assert.equal(all?.[name]?.trim(), pems[name].trim());
});
