import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { decodeAccount } from '../../src/http/access/account-guard.ts';
import { readBody } from '../../src/http/wire/body/read-body.ts';
import type { BodySchema, BodyValue, Fields } from '../../src/http/wire/fields/body-schema.ts';
import { type DecodedBody, decodeFields } from '../../src/http/wire/fields/decode-fields.ts';
import * as schemas from '../../src/http/wire/schemas.ts';

const { IncomingCall, CallCancelled, CallResponse, DeviceRegistrationBody, DeviceRemovalBody } = schemas;
const { CheckIn, HangupReason, LogMetrics } = schemas;

const FORM = 'application/x-www-form-urlencoded';

async function decode<F extends Fields>(
  body: BodySchema<F>,
  contentType: string,
  text: string,
): Promise<DecodedBody<BodyValue<F>>> {
  const result = await readBody(contentType, Buffer.from(text));
  assert.equal(result.kind, 'fields');
  return decodeFields(body, result.fields);
}

async function fromJson<F extends Fields>(
  body: BodySchema<F>,
  value: unknown,
): Promise<DecodedBody<BodyValue<F>>> {
  return await decode(body, 'application/json', JSON.stringify(value));
}

async function fromForm<F extends Fields>(
  body: BodySchema<F>,
  value: string,
): Promise<DecodedBody<BodyValue<F>>> {
  return await decode(body, FORM, value);
}

function taken<T>(decoded: DecodedBody<T>): T {
  assert.ok(decoded.ok, 'refused');
  return decoded.value;
}

function refusedField(decoded: DecodedBody<unknown>): string {
  assert.ok(!decoded.ok, 'not refused');
  return decoded.field;
}

it('incoming call: a form with the least and with everything', async () => {
  const least = taken(await fromForm(IncomingCall, 'sip_user_id=123456789&phonenumber=+31612345678'));
  assert.deepEqual(least, {
    sip_user_id: 123456789,
    phonenumber: '31612345678',
    caller_id: '',
    call_id: undefined,
    outcome_in_body: false,
  });
  const all =
    'sip_user_id=123456789&phonenumber=%2B316&caller_id=%20Jan%20&call_id=%20x%20&outcome_in_body=true&more=1';
  assert.deepEqual(taken(await fromForm(IncomingCall, all)), {
    sip_user_id: 123456789,
    phonenumber: '+316',
    caller_id: 'Jan',
    call_id: 'x',
    outcome_in_body: true,
  });
});

it('incoming call: only the account can be wrong', async () => {
  const good = { sip_user_id: '123456789', phonenumber: '0612345678' };
  const blank = taken(await fromJson(IncomingCall, { ...good, caller_id: ' ', call_id: ' ' }));
  assert.equal(blank.caller_id, '');
  assert.equal(blank.call_id, undefined);
  const long = { ...good, caller_id: '😀'.repeat(255), call_id: 'c'.repeat(255) };
  assert.equal(taken(await fromJson(IncomingCall, long)).caller_id, '😀'.repeat(255));
  const rows: readonly (readonly [object, string])[] = [
    [{}, 'sip_user_id'],
    [{ phonenumber: '1' }, 'sip_user_id'],
    [{ ...good, sip_user_id: null }, 'sip_user_id'],
    [{ ...good, sip_user_id: ' ' }, 'sip_user_id'],
    [{ ...good, sip_user_id: '12345678' }, 'sip_user_id'],
  ];
  for (const [body, field] of rows) assert.equal(refusedField(await fromJson(IncomingCall, body)), field);
  for (const nothing of [undefined, null, '', ' ', true, [], {}]) {
    const details = { phonenumber: nothing, caller_id: nothing, call_id: nothing };
    const call = taken(await fromJson(IncomingCall, { sip_user_id: 123456789, ...details }));
    assert.deepEqual([call.phonenumber, call.caller_id, call.call_id], ['anonymous', '', undefined]);
  }
});

it('what a body decodes to has the types of its schema', async () => {
  const call = taken(await fromForm(IncomingCall, 'sip_user_id=123456789&phonenumber=1'));
  call satisfies { sip_user_id: number; phonenumber: string; caller_id: string; call_id: string | undefined };
  const answer = taken(await fromForm(CallResponse, 'unique_key=x&message_start_time=1'));
  answer satisfies { unique_key: string; message_start_time: number; available: boolean };
  // @ts-expect-error -- a body has no other fields
  assert.equal(answer.sip_user_id, undefined);
});

it('call cancelled: the call_id is needed, the reason is not', async () => {
  assert.deepEqual(taken(await fromForm(CallCancelled, 'call_id=x')), { call_id: 'x', reason: '' });
  const odd = taken(await fromJson(CallCancelled, { call_id: 'x', reason: { code: 487 } }));
  assert.deepEqual(odd, { call_id: 'x', reason: '' });
  const long = taken(await fromJson(CallCancelled, { call_id: 'c'.repeat(256), reason: 'r'.repeat(300) }));
  assert.deepEqual([long.call_id.length, long.reason.length], [32, 255]);
  assert.deepEqual(taken(await fromJson(CallCancelled, { call_id: 'x', reason: ' answered elsewhere ' })), {
    call_id: 'x',
    reason: 'answered elsewhere',
  });
  for (const body of [{}, { call_id: '' }, { call_id: null }, { call_id: true }]) {
    assert.equal(refusedField(await fromJson(CallCancelled, body)), 'call_id');
  }
});

it('call response: each client as it answers', async () => {
  const expected = { unique_key: '0'.repeat(32), message_start_time: 1574950000.1234567 };
  const key = expected.unique_key;
  const time = '1574950000.1234567';
  const forms: readonly (readonly [string, boolean])[] = [
    [`unique_key=${key}&available=true&message_start_time=${time}`, true],
    [`unique_key=${key}&available=false&message_start_time=1.5749500001234567E9`, false],
    [`unique_key=${key}&message_start_time=${time}&sip_user_id=123456789`, true],
    [`unique_key=${key}&available=&message_start_time=${time}`, true],
  ];
  for (const [body, available] of forms) {
    assert.deepEqual(taken(await fromForm(CallResponse, body)), { ...expected, available });
  }
  const objects: readonly (readonly [object, boolean])[] = [
    [{ ...expected, available: 'True' }, true],
    [{ ...expected, available: 'False', sip_user_id: '123456789' }, false],
    [{ ...expected, available: 'false' }, false],
    [{ ...expected, available: true }, true],
    [expected, true],
  ];
  for (const [body, available] of objects) {
    assert.deepEqual(taken(await fromJson(CallResponse, body)), { ...expected, available });
  }
});

it('call response: what makes no sense', async () => {
  const good = { unique_key: 'x', message_start_time: 1 };
  const rows: readonly (readonly [object, string])[] = [
    [{ message_start_time: 1 }, 'unique_key'],
    [{ unique_key: 'x' }, 'message_start_time'],
    [{ ...good, unique_key: ' ' }, 'unique_key'],
    [{ ...good, message_start_time: 'nan' }, 'message_start_time'],
    [{ ...good, message_start_time: '' }, 'message_start_time'],
    [{ ...good, available: '' }, 'available'],
    [{ ...good, available: null }, 'available'],
    [{ ...good, available: 'Yes' }, 'available'],
  ];
  for (const [body, field] of rows) assert.equal(refusedField(await fromJson(CallResponse, body)), field);
  assert.equal(
    refusedField(
      await decode(CallResponse, 'application/json', '{"unique_key":"x","message_start_time":1e400}'),
    ),
    'message_start_time',
  );
});

const LEAST_PHONE = {
  sip_user_id: 123456789,
  token: 't',
  app: 'com.example.app',
  name: null,
  os_version: null,
  client_version: null,
  remote_logging_id: null,
  sandbox: null,
  push_profile: null,
  remote_notification_token: null,
};

it('device registration: each client as it registers', async () => {
  const android =
    'name=Jan&token=t&sip_user_id=123456789&os_version=REL&client_version=10&app=com.example.app&dnd=false';
  assert.deepEqual(taken(await fromForm(DeviceRegistrationBody, android)), {
    ...LEAST_PHONE,
    name: 'Jan',
    os_version: 'REL',
    client_version: '10',
  });
  const ios = {
    sip_user_id: '123456789',
    token: 't',
    app: 'com.example.app',
    name: 'Zoë 😀',
    os_version: 'iOS 13.6',
    client_version: '6.0.0 (1)',
    sandbox: true,
    push_profile: 'once',
    remote_notification_token: 'ff00',
    dnd: false,
    app_startup_timestamp: null,
  };
  assert.deepEqual(taken(await fromJson(DeviceRegistrationBody, ios)), {
    ...LEAST_PHONE,
    name: 'Zoë 😀',
    os_version: 'iOS 13.6',
    client_version: '6.0.0 (1)',
    sandbox: true,
    push_profile: 'once',
    remote_notification_token: 'ff00',
  });
});

it('device registration: sandbox is true, false or not said', async () => {
  const least = { sip_user_id: '123456789', token: 't', app: 'com.example.app' };
  const rows: readonly (readonly [unknown, boolean | null])[] = [
    [true, true],
    [false, false],
    ['true', true],
    ['false', false],
    ['', null],
    [undefined, null],
  ];
  for (const [sandbox, expected] of rows) {
    assert.equal(taken(await fromJson(DeviceRegistrationBody, { ...least, sandbox })).sandbox, expected);
  }
  const form = 'sip_user_id=123456789&token=t&app=com.example.app';
  assert.deepEqual(taken(await fromForm(DeviceRegistrationBody, `${form}&sandbox=`)), LEAST_PHONE);
  assert.deepEqual(taken(await fromForm(DeviceRegistrationBody, form)), LEAST_PHONE);
  for (const sandbox of [null, 'maybe', ' ']) {
    assert.equal(refusedField(await fromJson(DeviceRegistrationBody, { ...least, sandbox })), 'sandbox');
  }
});

it('device registration: blank is allowed, null and too long are not, except in fields of later apps', async () => {
  const least = { sip_user_id: '123456789', token: 't', app: 'com.example.app' };
  for (const field of ['name', 'os_version', 'client_version', 'remote_logging_id']) {
    assert.deepEqual(taken(await fromJson(DeviceRegistrationBody, { ...least, [field]: ' ' })), LEAST_PHONE);
    assert.equal(refusedField(await fromJson(DeviceRegistrationBody, { ...least, [field]: null })), field);
    assert.equal(
      refusedField(await fromJson(DeviceRegistrationBody, { ...least, [field]: 'x'.repeat(256) })),
      field,
    );
  }
  for (const odd of ['', null, 1, {}, 'x'.repeat(300)]) {
    const body = { ...least, push_profile: odd, remote_notification_token: odd };
    assert.deepEqual(taken(await fromJson(DeviceRegistrationBody, body)), LEAST_PHONE);
  }
});

it('device registration and removal: account, token and app are needed', async () => {
  const good = { sip_user_id: '123456789', token: 't', app: 'com.example.app' };
  const rows: readonly (readonly [object, string])[] = [
    [{ ...good, sip_user_id: 'x' }, 'sip_user_id'],
    [{ ...good, token: undefined }, 'token'],
    [{ ...good, token: 'a b' }, 'token'],
    [{ ...good, token: 't'.repeat(251) }, 'token'],
    [{ ...good, token: null }, 'token'],
    [{ ...good, app: undefined }, 'app'],
    [{ ...good, app: '' }, 'app'],
    [{ ...good, app: 'a'.repeat(256) }, 'app'],
  ];
  for (const [body, field] of rows) {
    assert.equal(refusedField(await fromJson(DeviceRegistrationBody, body)), field);
    assert.equal(refusedField(await fromJson(DeviceRemovalBody, body)), field);
  }
  assert.deepEqual(taken(await fromJson(DeviceRemovalBody, good)), { ...good, sip_user_id: 123456789 });
});

it('hangup reason: also under the name of the only app that sends it, which leaves out the account', async () => {
  const good = { sip_user_id: '123456789', unique_key: 'x' };
  const rows: readonly (readonly [object, string | null])[] = [
    [good, null],
    [{ ...good, reason: '' }, null],
    [{ ...good, reason: 'r'.repeat(5000) }, 'r'.repeat(5000)],
    [{ ...good, hangup_reason: 'declined' }, 'declined'],
    [{ ...good, reason: 'first', hangup_reason: 'second' }, 'first'],
  ];
  for (const [body, reason] of rows) {
    assert.equal(taken(await fromJson(HangupReason, body)).reason, reason);
  }
  assert.equal(
    refusedField(await fromJson(HangupReason, { unique_key: 'x', hangup_reason: 'y' })),
    'sip_user_id',
  );
  assert.equal(refusedField(await fromJson(HangupReason, { ...good, reason: null })), 'reason');
  assert.equal(refusedField(await fromJson(HangupReason, { sip_user_id: '123456789' })), 'unique_key');
});

it('log metrics and check-in: only the account is looked at', async () => {
  const odd = {
    sip_user_id: '123456789',
    network: null,
    mos: 4.2,
    os: {},
    hangup_reason: [],
    call_setup_successful: true,
  };
  assert.deepEqual(taken(await fromJson(LogMetrics, odd)), { sip_user_id: 123456789 });
  assert.deepEqual(taken(await fromJson(CheckIn, odd)), { sip_user_id: 123456789 });
  assert.equal(refusedField(await fromJson(LogMetrics, { network: 'wifi' })), 'sip_user_id');
  assert.equal(refusedField(await fromForm(CheckIn, '')), 'sip_user_id');
});

it('the account can be read alone', async () => {
  const result = await readBody(
    'application/json',
    Buffer.from('{"sip_user_id":" 123456789 ","token":null}'),
  );
  assert.equal(result.kind, 'fields');
  assert.deepEqual(decodeAccount(result.fields), { ok: true, value: 123456789 });
  const without = await readBody(FORM, Buffer.from('token=x'));
  assert.equal(without.kind, 'fields');
  assert.deepEqual(decodeAccount(without.fields), {
    ok: false,
    field: 'sip_user_id',
    problem: 'is required',
  });
});

it('problems never repeat what was sent', async () => {
  const body = {
    sip_user_id: 'S3CRET',
    phonenumber: 'S3CRET\u0007',
    token: 'S3CRET x',
    message_start_time: 'S3CRET',
  };
  for (const schema of Object.values(schemas)) {
    for (const sent of [body, { ...body, sip_user_id: 123456789, unique_key: 'x' }]) {
      const decoded = await fromJson<Fields>(schema, sent);
      if (!decoded.ok) assert.doesNotMatch(`${decoded.field} ${decoded.problem}`, /S3CRET/);
    }
  }
});

it('any JSON object decodes or names one of its fields', async () => {
  const names = fc.constantFrom(
    'sip_user_id',
    'phonenumber',
    'caller_id',
    'call_id',
    'token',
    'app',
    'sandbox',
    'available',
    'x',
  );
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('123456789', 123456789, 't', null, ''));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, value), async (sent) => {
      for (const schema of Object.values(schemas)) {
        const decoded = await fromJson<Fields>(schema, sent);
        if (decoded.ok) assert.deepEqual(Object.keys(decoded.value), Object.keys(schema.fields));
        else assert.ok(Object.hasOwn(schema.fields, decoded.field));
      }
    }),
    { numRuns: 300 },
  );
});
