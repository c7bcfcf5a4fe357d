import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { BodyResult } from '../../src/http/wire/body/body-result.ts';
import { readBody } from '../../src/http/wire/body/read-body.ts';
import { readQuery } from '../../src/http/wire/read-fields.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

async function read(contentType: string | undefined, body: string | Uint8Array): Promise<BodyResult> {
  return await readBody(contentType, Buffer.from(body));
}

async function fieldsOf(contentType: string, body: string | Uint8Array): Promise<Record<string, unknown>> {
  const result = await read(contentType, body);
  assert.equal(result.kind, 'fields');
  return Object.fromEntries(result.fields.toMap());
}

it('the media type decides on the parser, whatever its letter case and parameters', async () => {
  const rows: readonly (readonly [string, string, string])[] = [
    [JSON_TYPE, '{"a":"1"}', 'json'],
    ['APPLICATION/Json', '{"a":"1"}', 'json'],
    ['application/json; charset=UTF-8', '{"a":"1"}', 'json'],
    ['application/json;charset=latin1', '{"a":"1"}', 'json'],
    ['  application/json  ', '{"a":"1"}', 'json'],
    ['application/*', '{"a":"1"}', 'json'],
    ['*/*', '{"a":"1"}', 'json'],
    [FORM, 'a=1', 'form'],
    [`${FORM}; charset=UTF-8`, 'a=1', 'form'],
    ['Application/X-WWW-Form-URLEncoded', 'a=1', 'form'],
  ];
  for (const [contentType, body, source] of rows) {
    const result = await read(contentType, body);
    assert.equal(result.kind, 'fields', contentType);
    assert.equal(result.source, source, contentType);
    assert.equal(result.fields.get('a'), '1', contentType);
  }
});

it('a body of another type is unsupported and its header is told back', async () => {
  for (const contentType of ['text/plain', 'text/html; charset=utf-8', 'application/jsonx', 'json', ';']) {
    assert.deepEqual(await read(contentType, 'x'), {
      kind: 'unsupported-media-type',
      mediaType: contentType,
    });
  }
  assert.deepEqual(await read(undefined, 'x'), { kind: 'unsupported-media-type', mediaType: '' });
  assert.deepEqual(await read('x'.repeat(5000), 'x'), {
    kind: 'unsupported-media-type',
    mediaType: 'x'.repeat(200),
  });
});

it('no body means no fields, whatever the type', async () => {
  for (const contentType of [undefined, '', JSON_TYPE, FORM, 'text/plain', 'multipart/form-data']) {
    const result = await read(contentType, '');
    assert.equal(result.kind, 'fields');
    assert.equal(result.fields.toMap().size, 0);
    assert.equal(result.fields.get('a'), undefined);
  }
});

it('JSON: types are kept and the last of a repeated name counts', async () => {
  assert.deepEqual(await fieldsOf(JSON_TYPE, '{"a":1,"b":null,"c":[1],"a":"2","d":true,"e":1.5}'), {
    a: '2',
    b: null,
    c: [1],
    d: true,
    e: 1.5,
  });
});

it('JSON that is no object is malformed', async () => {
  for (const body of ['[]', '[{"a":1}]', '1', '"a"', 'null', 'true']) {
    assert.deepEqual(await read(JSON_TYPE, body), { kind: 'malformed' }, body);
  }
});

it('broken JSON is told with its place and without its text', async () => {
  const prefix = 'JSON parse error - the body is not valid JSON';
  const rows: readonly (readonly [string, string])[] = [
    ['{"token":"secret"', `${prefix} at position 17.`],
    ['{"token":secret}', `${prefix}.`],
    ['secret', `${prefix}.`],
    [' ', `${prefix}.`],
    ['{"a":NaN}', `${prefix}.`],
    ['{"a":"secret\0"}', `${prefix} at position 12.`],
    ['\ufeff{"a":1}', 'JSON parse error - the body starts with a byte order mark.'],
  ];
  for (const [body, detail] of rows) {
    const result = await read(JSON_TYPE, body);
    assert.equal(result.kind, 'bad-json', body);
    assert.equal(result.detail, detail);
  }
});

it('JSON that a PBX joined by hand is read without its byte order mark and control characters', async () => {
  const rows: readonly (readonly [string, string])[] = [
    ['\ufeff{"a":"x"}', 'x'],
    ['{"a":"x\ty"}', 'x y'],
    ['{"a":"x\r\ny\0\x1f"}', 'x  y  '],
    ['\ufeff\n{\t"a":\n"x\ty"}', 'x y'],
    // What is valid stays as it is.
    ['{"a":"x\\ty\\u0000"}', 'x\ty\0'],
  ];
  for (const [body, value] of rows) {
    const result = await readBody(JSON_TYPE, Buffer.from(body), 'lenient');
    assert.equal(result.kind, 'fields', body);
    assert.equal(result.fields.get('a'), value, body);
  }
  for (const body of ['\ufeff', '\ufeff\ufeff{}', '{"a":"x\t', '{"a":x\ty}']) {
    const result = await readBody(JSON_TYPE, Buffer.from(body), 'lenient');
    assert.equal(result.kind, 'bad-json', body);
  }
});

it('JSON: a whole number beyond 2^53 keeps its digits', async () => {
  assert.deepEqual(
    await fieldsOf(
      JSON_TYPE,
      '{"a":12345678901234567890,"b":-9007199254740993,"c":9007199254740991,"d":1e300,"e":1.5,"f":[1],"__proto__":1}',
    ),
    {
      a: '12345678901234567890',
      b: '-9007199254740993',
      c: 9007199254740991,
      d: 1e300,
      e: 1.5,
      f: [1],
      ['__proto__']: 1,
    },
  );
});

it('JSON must be UTF-8, even where the header says otherwise', async () => {
  const latin1 = Buffer.from('{"a":"\xe9"}', 'latin1');
  const utf16 = Buffer.from('{"a":1}', 'utf16le');
  assert.deepEqual(await read('application/json; charset=latin1', latin1), {
    kind: 'bad-json',
    detail: 'JSON parse error - the body is not valid UTF-8.',
  });
  assert.equal((await read('application/json; charset=utf-16', utf16)).kind, 'bad-json');
});

it('names of the prototype are fields like others', async () => {
  const result = await read(JSON_TYPE, '{"__proto__":{"polluted":1},"constructor":2,"toString":3}');
  assert.equal(result.kind, 'fields');
  assert.deepEqual(result.fields.get('__proto__'), { polluted: 1 });
  assert.equal(result.fields.get('constructor'), 2);
  assert.equal(result.fields.get('polluted'), undefined);
  assert.equal(result.fields.get('hasOwnProperty'), undefined);
  assert.equal(result.fields.toMap().get('toString'), 3);
  const form = await read(FORM, '__proto__=1&constructor=2');
  assert.equal(form.kind, 'fields');
  assert.equal(form.fields.get('__proto__'), '1');
  assert.equal(form.fields.get('toString'), undefined);
});

it('JSON as deep as 64 KiB allow is read or refused, never fatal', async () => {
  const half = 32 * 1024 - 3;
  const deep = await read(JSON_TYPE, `{"a":${'['.repeat(half)}${']'.repeat(half)}}`);
  assert.equal(deep.kind, 'fields');
  assert.equal((await read(JSON_TYPE, '['.repeat(64 * 1024))).kind, 'bad-json');
  assert.equal((await read(JSON_TYPE, '{"a":'.repeat(13_000))).kind, 'bad-json');
});

it('forms: escapes, plus signs, repeated and empty names', async () => {
  const rows: readonly (readonly [string, Record<string, string>])[] = [
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2', { a: '2' }],
    ['a=x+y%20z%2B', { a: 'x y z+' }],
    ['phonenumber=+31612345678', { phonenumber: ' 31612345678' }],
    ['caller_id=Jos%C3%A9', { caller_id: 'José' }],
    ['caller_id=José', { caller_id: 'José' }],
    ['a=%FF', { a: '\ufffd' }],
    ['a=%zz%', { a: '%zz%' }],
    ['a=100%&b=%F0%9F%98%80', { a: '100%', b: '😀' }],
    ['a=1=2', { a: '1=2' }],
    ['a&&b=', { a: '', b: '' }],
    ['=x', { '': 'x' }],
    ['%61=1', { a: '1' }],
    ['a=%00', { a: '\0' }],
    ['a;b=1', { 'a;b': '1' }],
  ];
  for (const [body, expected] of rows) assert.deepEqual(await fieldsOf(FORM, body), expected, body);
  assert.deepEqual(await fieldsOf(FORM, Buffer.from([0x61, 0x3d, 0xff, 0x62])), { a: '\ufffdb' });
});

it('forms of any text are read as the URL Standard says', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '&',
      '=',
      '+',
      '%',
      '%2',
      '%41',
      '%C3%A9',
      '%C3',
      '%F0%9F%98%80',
      '%EF%BB%BF',
      '%26',
      '?',
      '#',
    ),
    fc.string({ unit: 'grapheme', maxLength: 4 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      const body = Buffer.from(`k=v&${pieces.join('')}`).toString();
      assert.deepEqual(await fieldsOf(FORM, body), Object.fromEntries(new URLSearchParams(body)));
    }),
    { numRuns: 500 },
  );
});

it('a form of a thousand fields is read, of more it is malformed', async () => {
  const fields = (count: number) => Array.from({ length: count }, (_, i) => `f${i}=${i}`).join('&');
  assert.equal(Object.keys(await fieldsOf(FORM, fields(1000))).length, 1000);
  assert.deepEqual(await read(FORM, fields(1001)), { kind: 'malformed' });
  assert.deepEqual(await read(FORM, '&'.repeat(60_000)), { kind: 'malformed' });
});

it('the query string is read as a form', () => {
  const rows: readonly (readonly [string, Record<string, string>])[] = [
    ['/api/apns-device/', {}],
    ['/api/apns-device/?', {}],
    [
      '/api/apns-device/?sip_user_id=123456789&token=a%2Bb&app=x',
      {
        sip_user_id: '123456789',
        token: 'a+b',
        app: 'x',
      },
    ],
    ['/x?a=1?b=2&a=%', { a: '%' }],
  ];
  for (const [url, expected] of rows) {
    const result = readQuery(url);
    assert.equal(result.kind, 'fields');
    assert.deepEqual(Object.fromEntries(result.fields.toMap()), expected);
  }
  assert.deepEqual(readQuery(`/x?${'a&'.repeat(2000)}`), { kind: 'malformed' });
});

it('random bytes never throw, whatever they call themselves', async () => {
  const types = [
    JSON_TYPE,
    FORM,
    'multipart/form-data; boundary=b',
    'multipart/form-data',
    '*/*',
    'text/plain',
    undefined,
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...types),
      fc.uint8Array({ maxLength: 300 }),
      async (contentType, bytes) => {
        const result = await read(contentType, bytes);
        assert.match(result.kind, /^(fields|malformed|bad-json|unsupported-media-type)$/);
      },
    ),
    { numRuns: 1000 },
  );
});
