import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { cancelPbxCall } from '../../src/sandbox/pbx.ts';
import { VIALER_ANDROID_6 } from '../helpers/android-apps.ts';
import { type ClientPhone, type ClientScene, startClientScene } from '../helpers/client-scene.ts';
import { connectRaw, inChunks, type RawAnswer, type RawRequest, requestBytes } from '../helpers/raw-http.ts';
import { VIALER_IOS_6 } from '../helpers/vialer-ios-apps.ts';

const client = VIALER_ANDROID_6;
const CURL = ['Host: *', 'User-Agent: curl/7.68.0', 'Accept: */*'];

/** As curl's `-d` sends it. */
function curlForm(body: string): RawRequest {
  return {
    line: 'POST /api/incoming-call/',
    headers: [...CURL, 'Content-Length: *', 'Content-Type: application/x-www-form-urlencoded'],
    body,
  };
}

function curlJson(fields: object): RawRequest {
  return {
    line: 'POST /api/incoming-call/',
    headers: [...CURL, 'Content-Type: application/json', 'Content-Length: *'],
    body: JSON.stringify(fields),
  };
}

const BOUNDARY = '------------------------d74496d66958873e';

/** As curl's `-F` sends it. */
function curlMultipart(fields: Readonly<Record<string, string>>): RawRequest {
  return {
    line: 'POST /api/incoming-call/',
    headers: [...CURL, 'Content-Length: *', `Content-Type: multipart/form-data; boundary=${BOUNDARY}`],
    body: `${Object.entries(fields)
      .map(
        ([name, value]) =>
          `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      )
      .join('')}--${BOUNDARY}--\r\n`,
  };
}

interface ReadyPhone {
  readonly phone: ClientPhone;
  /** The numbers that it was pushed. */
  readonly numbers: unknown[];
  /** What its app was told, for each answer that is through. */
  readonly told: unknown[];
}

/** A phone that says yes to every push at once. */
async function readyPhone(t: TestContext, scene: ClientScene): Promise<ReadyPhone> {
  const phone = scene.newPhone(client);
  await scene.send(client.register(phone));
  const [numbers, told]: [unknown[], unknown[]] = [[], []];
  const stop = scene.world.google.onPush(phone.pushToken, ({ payload }) => {
    numbers.push(payload['phonenumber']);
    const reading = client.read(payload, `${scene.url}/api/call-response/`);
    scene.send(client.answer(phone, reading, true)).then(
      ({ status }) => told.push(status),
      (error: unknown) => told.push(error),
    );
  });
  t.after(stop);
  return { phone, numbers, told };
}

/** The whole answer that a dialplan reads. */
function checkAck(answer: RawAnswer): void {
  assert.equal(answer.statusLine, 'HTTP/1.1 200 OK');
  assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(answer.headers.get('content-length'), '10');
  assert.equal(answer.body, 'status=ACK');
  assert.equal(answer.headers.get('x-wake-outcome'), 'ready');
}

it('PBXs ask in whatever way their HTTP client has', async (t) => {
  const scene = await startClientScene(t, [client]);
  const { phone, numbers, told } = await readyPhone(t, scene);
  const sip_user_id = String(phone.account);
  const form = `sip_user_id=${sip_user_id}&phonenumber=0508009000&caller_id=Caf%C3%A9+Anna`;
  const fields = { sip_user_id, phonenumber: '0508009000', caller_id: 'Café Anna' };
  const ways: Readonly<Record<string, RawRequest>> = {
    'a form': curlForm(form),
    'a form with a charset': {
      ...curlForm(form),
      headers: [
        ...CURL,
        'Content-Length: *',
        'Content-Type: application/x-www-form-urlencoded; charset=UTF-8',
      ],
    },
    'a form in chunks': inChunks(curlForm(form)),
    'a form that asks for JSON, which the reference answers with 500': {
      ...curlForm(form),
      headers: [...curlForm('').headers, 'Accept: application/json'],
    },
    JSON: curlJson(fields),
    'JSON with numbers': curlJson({ ...fields, sip_user_id: phone.account }),
    'JSON in chunks': inChunks(curlJson(fields)),
    multipart: curlMultipart(fields),
    'HTTP/1.0 without a Host': { ...curlForm(form), version: '1.0', headers: curlForm('').headers.slice(1) },
    'a path without its last slash': { ...curlForm(form), line: 'POST /api/incoming-call' },
  };
  for (const [way, request] of Object.entries(ways)) {
    await t.test(way, async () => {
      numbers.splice(0);
      checkAck(await scene.send(request));
      assert.deepEqual(numbers, ['0508009000']);
      await until(() => told.length === 1, 'the app is told');
      assert.deepEqual(told.splice(0), [202]);
    });
  }

  await t.test('a plus sign that nobody encoded is a space, and trimmed', async () => {
    numbers.splice(0);
    checkAck(await scene.send(curlForm(`sip_user_id=${sip_user_id}&phonenumber=+31508009000`)));
    checkAck(await scene.send(curlForm(`sip_user_id=${sip_user_id}&phonenumber=%2B31508009000`)));
    assert.deepEqual(numbers, ['31508009000', '+31508009000']);
  });

  await t.test('curl waits for 100 Continue before it sends a form with -F', async () => {
    const request = curlMultipart(fields);
    const connection = await connectRaw(scene.url);
    const bytes = requestBytes(
      { ...request, headers: [...request.headers, 'Expect: 100-continue'] },
      connection.host,
    );
    const bodyAt = bytes.indexOf('\r\n\r\n') + 4;
    connection.write(bytes.subarray(0, bodyAt));
    assert.equal((await connection.read()).status, 100);
    connection.write(bytes.subarray(bodyAt));
    checkAck(await connection.read());
    connection.close();
  });

  await t.test('a connection is used again, for calls and for errors alike', async () => {
    const connection = await connectRaw(scene.url);
    checkAck(await connection.send(curlForm(form)));
    assert.equal((await connection.send(curlForm('sip_user_id=12'))).status, 400);
    checkAck(await connection.send(curlForm(form)));
    const nobody = await connection.send(curlForm('sip_user_id=999999999&phonenumber=1'));
    assert.deepEqual(
      [nobody.status, nobody.body, nobody.headers.get('content-length')],
      [200, 'status=NAK', '10'],
    );
    checkAck(await connection.send(curlForm(form)));
    assert.equal(connection.closed(), false);
    connection.close();
  });

  await t.test('a request that arrives byte by byte is read as one', async () => {
    const connection = await connectRaw(scene.url);
    for (const byte of requestBytes(curlJson(fields), connection.host)) connection.write(Buffer.from([byte]));
    checkAck(await connection.read());
    connection.close();
  });
  await until(() => told.length === 7, 'the app has been told of every call');
  assert.deepEqual(new Set(told), new Set([202]));
});

it('what a PBX did wrong is a 4xx in plain text, which no dialplan takes for ACK', async (t) => {
  const scene = await startClientScene(t, [client]);
  const { phone } = await readyPhone(t, scene);
  const ok = curlForm(`sip_user_id=${phone.account}&phonenumber=1`);
  const wrong: readonly (readonly [string, number, RawRequest])[] = [
    ['no account', 400, curlForm('phonenumber=1')],
    ['an account that is none', 400, curlForm('sip_user_id=status%3DACK&phonenumber=1')],
    ['broken JSON', 400, { ...curlJson({}), body: '{"status=ACK' }],
    ['no body', 400, curlForm('')],
    [
      'another media type',
      415,
      { ...ok, headers: [...CURL, 'Content-Length: *', 'Content-Type: text/plain'] },
    ],
    ['GET', 405, { line: 'GET /api/incoming-call/', headers: CURL, body: '' }],
    ['OPTIONS', 405, { line: 'OPTIONS /api/incoming-call/', headers: CURL, body: '' }],
  ];
  for (const [what, status, request] of wrong) {
    await t.test(`${what}: ${status}`, async () => {
      const answer = await scene.send(request);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.doesNotMatch(answer.body, /status=ACK/);
    });
  }
});

it('two legs of a call with one call_id wait together, and push once', async (t) => {
  const scene = await startClientScene(t, [client, VIALER_IOS_6]);
  for (const app of [client, VIALER_IOS_6]) {
    const phone = scene.newPhone(app);
    await scene.send(app.register(phone));
    const pushes = scene.pushesTo(phone.pushToken);
    const leg = curlForm(`sip_user_id=${phone.account}&phonenumber=0508009000&call_id=${randomUUID()}`);
    const first = scene.send(leg);
    await until(() => pushes.length === 1, 'the phone is pushed');
    const second = scene.send(leg);
    await until(
      () => scene.logged.some(({ fields }) => fields['found'] === 'waiting'),
      'the second leg waits, too',
    );
    const reading = app.read(pushes[0] ?? {}, `${scene.url}/api/call-response/`);
    await scene.send(app.answer(phone, reading, true));
    for (const leg of [await first, await second]) checkAck(leg);
    checkAck(await scene.send(leg));
    assert.equal(pushes.length, 1, 'nor does the one that comes after the answer');
    scene.logged.splice(0);
  }
});

it('a PBX that hangs up, on a socket or by a request, ends the pushes', async (t) => {
  const scene = await startClientScene(t, [client], { APP_PUSH_RESEND_INTERVAL: '100' });
  const phone = scene.newPhone(client);
  await scene.send(client.register(phone));
  const pushes = scene.pushesTo(phone.pushToken);
  const callId = randomUUID();
  const ask = curlForm(`sip_user_id=${phone.account}&phonenumber=1&call_id=${callId}`);

  const connection = await connectRaw(scene.url);
  connection.write(requestBytes(ask, connection.host));
  await until(() => pushes.length >= 2, 'the phone is pushed again');
  connection.close();
  await until(() => scene.running.waiting() === 0, 'nobody waits any more');
  const late = await scene.send(client.answer(phone, client.read({ ...pushes[0] }, ''), true));
  assert.equal(late.status, 404, 'the app does not wait for an INVITE that will not come');

  pushes.splice(0);
  const ringing = scene.send(ask);
  await until(() => pushes.length >= 2, 'the phone is pushed for the next call with this call_id');
  assert.equal((await cancelPbxCall({ url: scene.url, callId })).body, 'status=CANCELLED');
  const heard = await ringing;
  assert.deepEqual(
    [heard.status, heard.body, heard.headers.get('x-wake-outcome')],
    [200, 'status=NAK', 'cancelled'],
  );
});
