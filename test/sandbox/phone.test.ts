import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createPhone, type Phone, type PhoneOptions, type PhoneStep } from '../../src/sandbox/phone.ts';
import { createPushLog, type PushLog } from '../../src/sandbox/push-log.ts';
import { until } from './raw-http2.ts';

interface Request {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const TOKEN = 'token-1';
const IOS_KEY = '0123456789abcdef0123456789abcdef';

describe('the simulated phone', () => {
  const requests: Request[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ method: request.method, path: request.url, headers: request.headers, body });
    response.writeHead(202, { 'content-type': 'application/json' }).end('""');
  });
  let url: string;
  let phone: Phone;
  let source: PushLog;
  let steps: PhoneStep[];
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });
  after(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    requests.length = 0;
    steps = [];
    source = createPushLog(10);
  });
  afterEach(() => phone.close());

  const start = (kind: PhoneOptions['kind'], more: Partial<PhoneOptions> = {}): void => {
    phone = createPhone({
      kind,
      account: 123456789,
      token: TOKEN,
      app: 'com.example.phone',
      server: url,
      authorization: 'Token a@example.com:abc',
      wakeUpMs: 20,
      onStep: (step) => steps.push(step),
      ...more,
    });
    phone.listen(source);
  };
  const push = (payload: Record<string, unknown>) => ({
    token: TOKEN,
    headers: {},
    payload,
    at: performance.now(),
  });
  const androidPush = (more: Record<string, unknown> = {}) =>
    push({
      type: 'call',
      unique_key: 'call 1',
      vg_cid: 'call 1',
      phonenumber: '0123',
      caller_id: '',
      response_api: `${url}/api/call-response/`,
      message_start_time: '1574950000.1234567',
      attempt: '1',
      ...more,
    });
  const iosPush = (more: Record<string, unknown> = {}) =>
    push({
      aps: {},
      unique_key: IOS_KEY,
      phonenumber: '0123',
      response_api: `${url}/api/call-response/`,
      message_start_time: 1574950000.1234567,
      ...more,
    });
  const kinds = (): string[] => steps.map(({ kind }) => kind);

  it('answers on Android as a form, after its wake-up time, with what was pushed verbatim', async () => {
    start('android');
    source.add(androidPush());
    await until(() => kinds().includes('answered'), 'the answer');
    const [request] = requests;
    assert.deepEqual([request?.method, request?.path], ['POST', '/api/call-response/']);
    assert.equal(request?.headers['content-type'], 'application/x-www-form-urlencoded');
    assert.equal(request?.headers.authorization, 'Token a@example.com:abc');
    assert.equal(
      request?.body,
      'unique_key=call+1&available=true&message_start_time=1574950000.1234567&sip_user_id=123456789',
    );
    assert.deepEqual(kinds(), ['push-received', 'answering', 'answered']);
    assert.ok((steps[1]?.at ?? 0) - (steps[0]?.at ?? 0) >= 15);
  });

  it('answers on iOS as JSON, availability as text and the start time as the number that was pushed', async () => {
    start('ios', { available: false });
    source.add(iosPush());
    await until(() => kinds().includes('answered'), 'the answer');
    assert.equal(requests[0]?.headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(requests[0]?.body ?? ''), {
      unique_key: IOS_KEY,
      available: 'false',
      message_start_time: 1574950000.1234567,
      sip_user_id: '123456789',
    });
  });

  it('reads a start time that is text as 0 on iOS', async () => {
    start('ios');
    await phone.answer(iosPush({ message_start_time: '1574950000.1' }));
    assert.equal(JSON.parse(requests[0]?.body ?? '').message_start_time, 0);
  });

  it('answers a call once, however often it is pushed', async () => {
    start('android');
    for (const attempt of ['1', '2', '3']) source.add(androidPush({ attempt }));
    source.add(androidPush({ unique_key: 'call 2' }));
    await until(() => kinds().filter((kind) => kind === 'answered').length === 2, 'both answers');
    assert.equal(requests.length, 2);
    assert.deepEqual(
      steps.flatMap((step) => (step.kind === 'push-ignored' ? [step.why] : [])),
      ['duplicate', 'duplicate'],
    );
  });

  it('ignores what is not a call on Android', () => {
    start('android');
    source.add(push({ type: 'message', message: 'An other device' }));
    assert.deepEqual(kinds(), ['push-received', 'push-ignored']);
  });

  for (const field of ['unique_key', 'vg_cid', 'message_start_time', 'response_api']) {
    it(`crashes on Android when ${field} is missing or not text`, async () => {
      start('android');
      source.add(androidPush({ [field]: undefined }));
      source.add(androidPush({ [field]: 5 }));
      assert.deepEqual(
        steps.flatMap((step) => (step.kind === 'crashed' ? [step.field] : [])),
        [field, field],
      );
      await assert.rejects(phone.answer(androidPush({ [field]: undefined })), new RegExp(field));
    });
  }

  for (const [field, value] of [
    ['phonenumber', undefined],
    ['phonenumber', 5],
    ['unique_key', undefined],
    ['unique_key', 'call 1'],
    ['response_api', undefined],
  ] as const) {
    it(`is killed on iOS when ${field} is ${value}`, () => {
      start('ios');
      source.add(iosPush({ [field]: value }));
      assert.deepEqual(
        steps.flatMap((step) => (step.kind === 'crashed' ? [step.field] : [])),
        [field],
      );
    });
  }

  it('says that an answer could not be delivered', async () => {
    start('android');
    source.add(androidPush({ response_api: 'http://127.0.0.1:1/' }));
    await until(() => kinds().includes('answer-failed'), 'the failure');
  });

  it('stays silent when told so, and after close', async () => {
    start('android', { silent: true });
    source.add(androidPush());
    assert.deepEqual(kinds(), ['push-received']);
    start('android');
    source.add(androidPush());
    phone.close();
    source.add(androidPush({ unique_key: 'call 2' }));
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.equal(requests.length, 0);
  });

  it('registers and unregisters as the app of its system', async () => {
    start('ios', { remoteNotificationToken: 'ff', sandbox: true, name: 'Phone' });
    assert.equal((await phone.register()).status, 202);
    await phone.unregister();
    const [registered, unregistered] = requests;
    const fields = JSON.parse(registered?.body ?? '');
    assert.deepEqual([registered?.method, registered?.path], ['POST', '/api/apns-device/']);
    assert.deepEqual(
      [
        fields.token,
        fields.sip_user_id,
        fields.sandbox,
        fields.push_profile,
        fields.remote_notification_token,
      ],
      [TOKEN, '123456789', true, 'once', 'ff'],
    );
    assert.deepEqual([unregistered?.method, unregistered?.path], ['DELETE', '/api/apns-device/']);
    assert.deepEqual(JSON.parse(unregistered?.body ?? ''), {
      token: TOKEN,
      sip_user_id: '123456789',
      app: 'com.example.phone',
    });
    phone.close();
    start('android');
    await phone.register();
    assert.equal(requests[2]?.path, '/api/android-device/');
    assert.equal(JSON.parse(requests[2]?.body ?? '').push_profile, undefined);
  });
});
