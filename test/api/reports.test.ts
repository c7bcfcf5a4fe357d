import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newAccount, startTestService } from '../helpers/test-service.ts';
import { type Answered, asForm, asJson, asMultipart, send, type TypedBody } from './http-client.ts';
import { addMember, type Member } from './members.ts';

const JSON_TYPE = 'application/json';
const MALFORMED = '{"detail":"Malformed request."}';
const NOT_FOUND = '{"detail":"Not found."}';

function assertJson(answer: Answered, status: number, body: string, what?: string): void {
  assert.deepEqual([answer.status, answer.contentType, answer.body], [status, JSON_TYPE, body], what);
}

it('reports', async (t) => {
  const service = await startTestService(t);
  const report = (path: string, member: Member, typed: TypedBody) =>
    send(service.url, { path, ...typed, headers: { authorization: member.token } });
  const assertNothing = (answer: Answered, status: number, what: string): void => {
    assert.deepEqual([answer.status, answer.contentType, answer.body], [status, undefined, ''], what);
    assert.equal(answer.headers['content-length'], '0', what);
  };

  await t.test('are answered without body and content type, in each kind of body', async () => {
    const phone = await service.phone();
    const member = addMember(service, phone.account);
    for (const write of [asForm, asJson, asMultipart]) {
      const fields = { sip_user_id: String(phone.account), unique_key: 'k', reason: 'busy' };
      for (const path of ['/api/hangup-reason/', '/api/log-metrics/', '/api/check-in/', '/api/check-in']) {
        assertNothing(await report(path, member, write(fields)), 200, `${path} ${write.name}`);
      }
    }
  });

  await t.test(
    'without a phone: hangup-reason is 404 with words, check-in 404 without, log-metrics 200',
    async () => {
      const member = addMember(service);
      const typed = asJson({ sip_user_id: member.account, unique_key: 'k' });
      assertJson(await report('/api/hangup-reason/', member, typed), 404, NOT_FOUND);
      assertNothing(await report('/api/check-in/', member, typed), 404, 'check-in');
      assertNothing(await report('/api/log-metrics/', member, typed), 200, 'log-metrics');
    },
  );

  await t.test(
    'hangup-reason: unique_key is required, reason may have any length but is no null',
    async () => {
      const phone = await service.phone();
      const member = addMember(service, phone.account);
      const base = { sip_user_id: phone.account, unique_key: 'k' };
      const hangUp = (fields: unknown) => report('/api/hangup-reason/', member, asJson(fields));
      assertNothing(await hangUp({ ...base, reason: 'r'.repeat(10_000) }), 200, 'long');
      assertJson(await hangUp({ ...base, reason: null }), 400, MALFORMED);
      assertJson(await hangUp({ sip_user_id: phone.account, reason: 'r' }), 400, MALFORMED);
      assertJson(await hangUp({ ...base, unique_key: 'k'.repeat(256) }), 400, MALFORMED);
    },
  );

  await t.test('nothing that is reported for one account is taken for another', async () => {
    const member = addMember(service);
    const answer = await report('/api/check-in/', member, asJson({ sip_user_id: newAccount() }));
    assertJson(answer, 403, '{"detail":"You do not have permission to perform this action."}');
  });
});
