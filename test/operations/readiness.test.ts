import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';

async function readiness({ url }: TestService): Promise<string> {
  const answer = await fetch(`${url}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

function opened({ databaseUrl }: TestService) {
  return new DatabaseSync(databaseUrl.slice('sqlite:'.length));
}

/** The rows of docs/operations.md that need no database server, no Redis and no disk of their own. */
describe('/readyz is 503 only for what cannot serve calls', () => {
  it('another program that writes to the SQLite file: degraded, calls ring', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone();
    const other = opened(service);
    t.after(() => other.close());
    other.exec('begin immediate');
    assert.match(
      await readiness(service),
      /^200 .*"degraded".*phones cannot register: another program holds/,
    );
    assert.equal(await service.metric('vialer_middleware_readiness{subject="registrations"}'), 1);
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    other.exec('rollback');
    assert.equal((await phone.register()).status, 200);
    // A change that was confirmed counts at once.
    assert.match(await readiness(service), /^200 .*"ready"/);
    assert.equal(await service.metric('vialer_middleware_readiness{subject="registrations"}'), 0);
  });

  it('no app: degraded with what to do', async (t) => {
    const service = await startTestService(t);
    const database = opened(service);
    database.exec('delete from apps; update app_changes set revision = revision + 1');
    database.close();
    await service.running.refreshApps();
    assert.match(await readiness(service), /^200 .*"degraded".*no app is known.*apps add/);
  });

  it('a stored credential that cannot be read any more: degraded, its phones ring', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone();
    const database = opened(service);
    database.exec("update apps set credential = 'spoilt'; update app_changes set revision = revision + 1");
    database.close();
    await service.running.refreshApps();
    assert.match(await readiness(service), /^200 .*"degraded".*credential of 2 app\(s\) cannot be read/);
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
  });

  it('as many calls as may wait: degraded, and ready again when they have ended', async (t) => {
    const service = await startTestService(t, {
      settings: { MAX_WAITING_CALLS: '1', APP_PUSH_ROUNDTRIP_WAIT: '60000' },
    });
    const phone = await service.phone({ silent: true });
    const hangUp = new AbortController();
    const call = service.ask({ account: phone.account, signal: hangUp.signal }).catch(() => {});
    await until(() => service.running.waiting() === 1, 'a call waits');
    assert.match(await readiness(service), /^200 .*"degraded".*new calls are turned away/);
    hangUp.abort();
    await call;
    await until(async () => /^200 .*"ready"/.test(await readiness(service)), 'the service is ready again');
  });

  it('tables that are missing: 503', async (t) => {
    const service = await startTestService(t);
    const database = opened(service);
    database.exec('drop table devices');
    database.close();
    assert.match(
      await readiness(service),
      /^503 .*"not ready".*\["the database answers with an error, see the log for its words"\]/,
    );
    await until(
      () => service.logged.some(({ fields: { said } }) => said === 'no such table: devices'),
      'the log has its words',
    );
  });

  it('a column that is missing, phones in memory: 503, since no call gets its phone from there', async (t) => {
    const service = await startTestService(t, { settings: { DEVICE_CACHE_SECONDS: '600' } });
    const phone = await service.phone();
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    const database = opened(service);
    database.exec('alter table devices rename column token to token2');
    database.close();
    assert.match(
      await readiness(service),
      /^503 .*"not ready".*the database answers with an error, see the log for its words/,
    );
    assert.equal((await service.ask({ account: phone.account })).outcome, 'storage-unavailable');
  });

  it('a trigger that rejects every registration: degraded once one was refused, until one is taken', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone();
    const database = opened(service);
    t.after(() => database.close());
    for (const event of ['insert', 'update'])
      database.exec(
        `create trigger no_${event} before ${event} on devices begin select raise(abort, 'quota exceeded'); end`,
      );
    assert.equal((await phone.register()).status, 500);
    assert.match(
      await readiness(service),
      /^200 .*"degraded".*phones cannot register: the database answers with an error, see the log for its words/,
    );
    assert.equal(await service.metric('vialer_middleware_readiness{subject="registrations"}'), 1);
    await until(
      () => service.logged.some(({ fields: { said } }) => said === 'quota exceeded'),
      'the log has its words',
    );
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    for (const event of ['insert', 'update']) database.exec(`drop trigger no_${event}`);
    assert.equal((await phone.register()).status, 200);
    assert.match(await readiness(service), /^200 .*"ready"/);
  });
});
