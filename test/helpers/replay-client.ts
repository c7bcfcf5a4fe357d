import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Platform } from '../../src/apps/platform.ts';
import { cancelPbxCall } from '../../src/sandbox/pbx.ts';
import { type ClientPhone, type ClientScene, firstPush, type PushPayload } from './client-scene.ts';
import { inChunks, type RawAnswer, type RawRequest } from './raw-http.ts';

/** What an app makes of a call push. */
export interface CallReading {
  readonly uniqueKey: string;
  readonly number: string;
  readonly callerName: string;
  /** The whole URL that it answers to, as it works it out. */
  readonly answerUrl: string;
  /** `message_start_time` as it echoes it. */
  readonly startTime: string | number;
  /** Epoch ms that it takes `message_start_time` for; absent where it does not look. */
  readonly sentAtMs?: number;
}

/** An app in the field: its requests byte for byte, and its reading of a push. */
export interface FieldClient {
  readonly name: string;
  readonly platform: Platform;
  readonly appId: string;
  register(phone: ClientPhone): RawRequest;
  unregister(phone: ClientPhone): RawRequest;
  /** Throws where the app would crash, or not take it for a call. */
  read(payload: PushPayload, responseApi: string): CallReading;
  answer(phone: ClientPhone, reading: CallReading, available: boolean): RawRequest;
  /** Throws where the app would take the answer to its registration for a failure. */
  checkRegistered(answer: RawAnswer): void;
  /** The same for the end of its registration. */
  checkUnregistered(answer: RawAnswer): void;
}

const CALL = { phoneNumber: '+31508009000', callerId: 'Café "De Één" & Zn. <3 📞' };
const MINUTE_MS = 60_000;

/** Goes through a client's whole life with the service. Every request is one of the client's own. */
export async function replayClient(t: TestContext, scene: ClientScene, client: FieldClient): Promise<void> {
  const run = (name: string, test: (t: TestContext) => Promise<void>) =>
    t.test(`${client.name}: ${name}`, test);
  const registered = async (): Promise<ClientPhone> => {
    const phone = scene.newPhone(client);
    assert.equal((await scene.send(client.register(phone))).status, 201);
    return phone;
  };
  const ring = async (phone: ClientPhone) => {
    const callId = randomUUID();
    const pushes = scene.pushesTo(phone.pushToken);
    const ringing = scene.ask({ account: phone.account, callId, ...CALL });
    const reading = client.read(await firstPush(pushes), `${scene.url}/api/call-response/`);
    return { callId, ringing, reading };
  };

  await run('registers, again, and through a proxy that sends chunks', async () => {
    const phone = scene.newPhone(client);
    const answers = [
      await scene.send(client.register(phone)),
      await scene.send(client.register(phone)),
      await scene.send(inChunks(client.register(phone))),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 200, 200],
    );
    for (const answer of answers) {
      checkEmptyString(answer);
      client.checkRegistered(answer);
    }
  });

  await run('understands the push, says yes, and the PBX hears ACK', async () => {
    const phone = await registered();
    const { callId, ringing, reading } = await ring(phone);
    assert.equal(reading.uniqueKey, callId);
    assert.equal(reading.number, CALL.phoneNumber);
    assert.equal(reading.callerName, CALL.callerId);
    assert.equal(new URL(reading.answerUrl).origin, scene.url);
    if (reading.sentAtMs !== undefined) assert.ok(Math.abs(Date.now() - reading.sentAtMs) < MINUTE_MS);
    const answer = await scene.send(client.answer(phone, reading, true));
    assert.equal(answer.status, 202);
    checkEmptyString(answer);
    const heard = await ringing;
    assert.deepEqual([heard.status, heard.body, heard.outcome], [200, 'status=ACK', 'ready']);
    assert.equal((await scene.send(client.answer(phone, reading, true))).status, 202, 'a repeated answer');
  });

  await run('says no, and the PBX hears NAK', async () => {
    const phone = await registered();
    const { ringing, reading } = await ring(phone);
    assert.equal((await scene.send(client.answer(phone, reading, false))).status, 202);
    const heard = await ringing;
    assert.deepEqual([heard.body, heard.outcome], ['status=NAK', 'declined']);
  });

  await run('answers a call that is over, and is told 404', async () => {
    const phone = await registered();
    const { callId, ringing, reading } = await ring(phone);
    assert.equal((await cancelPbxCall({ url: scene.url, callId })).status, 200);
    assert.equal((await ringing).body, 'status=NAK');
    const late = await scene.send(client.answer(phone, reading, true));
    assert.equal(late.status, 404);
    checkEmptyString(late);
  });

  await run('unregisters, is not there any more, and registers anew', async () => {
    const phone = await registered();
    const done = await scene.send(client.unregister(phone));
    assert.equal(done.status, 200);
    checkEmptyString(done);
    client.checkUnregistered(done);
    assert.equal((await scene.ask({ account: phone.account, ...CALL })).outcome, 'no-device');
    assert.equal((await scene.send(client.unregister(phone))).status, 404);
    assert.equal((await scene.send(client.register(phone))).status, 201);
  });

  await run('is told 401, which logs its user out, only for its credential', (sub) =>
    checkLogout(sub, scene, client),
  );
}

async function checkLogout(t: TestContext, scene: ClientScene, client: FieldClient): Promise<void> {
  const phone = scene.newPhone(client);
  const statusOf = async (request: RawRequest) => (await scene.send(request)).status;
  const requests = (of: ClientPhone) => [client.register(of), client.unregister(of)];
  for (const request of requests(phone)) {
    assert.equal(await statusOf(withAuthorization(request, undefined)), 401, 'no credential');
    assert.equal(
      await statusOf(withAuthorization(request, 'Token somebody@example.com:else')),
      401,
      'a wrong one',
    );
  }
  for (const request of requests({ ...phone, account: scene.newPhone(client).account })) {
    assert.equal(await statusOf(request), 403, "somebody else's account");
  }
  for (const request of requests({ ...phone, appId: 'com.example.unknown' })) {
    assert.equal(await statusOf(request), 404, 'an unknown app');
  }
  for (const request of requests({ ...phone, pushToken: 'not a token' })) {
    assert.equal(await statusOf(request), 400, 'a malformed token');
  }
  t.after(() => scene.world.platform.clearFaults());
  for (const fault of [
    { kind: 'disconnect' },
    { kind: 'answer', status: 500 },
    { kind: 'garbage' },
  ] as const) {
    scene.world.platform.script(fault, { times: 2 });
    for (const request of requests(phone)) assert.equal(await statusOf(request), 503, fault.kind);
  }
  const reading = {
    uniqueKey: '0'.repeat(32),
    number: '',
    callerName: '',
    answerUrl: `${scene.url}/api/call-response/`,
    startTime: '1700000000.1234567',
  };
  const answer = client.answer(phone, reading, true);
  for (const authorization of [undefined, 'Token somebody@example.com:else']) {
    assert.equal(
      await statusOf(withAuthorization(answer, authorization)),
      404,
      'an answer needs no credential',
    );
  }
}

/** `""` and `application/json`: the one body that every client's library takes for success. */
function checkEmptyString(answer: RawAnswer): void {
  assert.equal(answer.body, '""');
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.equal(answer.headers.get('content-encoding'), undefined);
}

function withAuthorization(request: RawRequest, value: string | undefined): RawRequest {
  const headers = request.headers.filter((header) => !/^authorization:/i.test(header));
  return { ...request, headers: value === undefined ? headers : [`Authorization: ${value}`, ...headers] };
}
