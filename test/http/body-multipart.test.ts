import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { BodyResult } from '../../src/http/wire/body/body-result.ts';
import { readBody } from '../../src/http/wire/body/read-body.ts';

const TYPE = 'multipart/form-data; boundary=limit';

async function read(body: string | Uint8Array, contentType = TYPE): Promise<BodyResult> {
  return await readBody(contentType, Buffer.from(body));
}

async function fieldsOf(body: string | Uint8Array, contentType = TYPE): Promise<Record<string, unknown>> {
  const result = await read(body, contentType);
  assert.equal(result.kind, 'fields');
  assert.equal(result.source, 'form');
  return Object.fromEntries(result.fields.toMap());
}

function part(name: string, value: string, more = '', headers = ''): string {
  return `--limit\r\nContent-Disposition: form-data; name="${name}"${more}\r\n${headers}\r\n${value}\r\n`;
}

const END = '--limit--\r\n';

it('fields are read as a form, the last of a repeated name counts', async () => {
  assert.deepEqual(await fieldsOf(part('a', '1') + part('b', 'x y+%41') + part('a', '2') + END), {
    a: '2',
    b: 'x y+%41',
  });
  assert.deepEqual(await fieldsOf(part('naam', 'José 😀') + END), { naam: 'José 😀' });
  assert.deepEqual(await fieldsOf(part('a', '') + END), { a: '' });
  assert.deepEqual(await fieldsOf(part('__proto__', 'x') + END), Object.fromEntries([['__proto__', 'x']]));
});

it('what the platform itself writes as multipart is read', async () => {
  const form = new FormData();
  form.set('sip_user_id', '123456789');
  form.set('phonenumber', '+31612345678');
  form.set('caller_id', 'Zoë "Z" \\ 😀\r\nB');
  form.set('photo', new Blob(['not a field']), 'photo.png');
  const request = new Request('http://localhost', { method: 'POST', body: form });
  const contentType = request.headers.get('content-type') ?? '';
  assert.deepEqual(await fieldsOf(await request.bytes(), contentType), {
    sip_user_id: '123456789',
    phonenumber: '+31612345678',
    caller_id: 'Zoë "Z" \\ 😀\r\nB',
  });
});

it('parts with a file are ignored', async () => {
  const file = part('file', 'contents', '; filename="f.txt"', 'Content-Type: text/plain\r\n');
  const binary = part('bin', 'contents', '', 'Content-Type: application/octet-stream\r\n');
  assert.deepEqual(await fieldsOf(file + part('a', '1') + binary + END), { a: '1' });
});

it('a quoted boundary and letter case do not matter', async () => {
  assert.deepEqual(
    await fieldsOf(part('a', '1') + END, 'Multipart/Form-Data; BOUNDARY="limit"; charset=utf-8'),
    {
      a: '1',
    },
  );
});

it('broken bodies are malformed', async () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['no boundary in the header', part('a', '1') + END, 'multipart/form-data'],
    ['no boundary in the body', 'hello', TYPE],
    ['no end', part('a', '1'), TYPE],
    ['cut off in a header', `${part('a', '1')}--limit\r\nContent-Dispo`, TYPE],
    ['cut off in a value', part('a', '1').slice(0, -3), TYPE],
    ['another boundary', part('a', '1') + END, 'multipart/form-data; boundary=other'],
    ['an empty boundary', part('a', '1') + END, 'multipart/form-data; boundary='],
  ];
  for (const [what, body, contentType] of rows) {
    assert.deepEqual(await read(body, contentType), { kind: 'malformed' }, what);
  }
});

it('more fields than the limit are malformed', async () => {
  const short = (i: number) => `--limit\r\nContent-Disposition: form-data; name="${i}"\r\n\r\n\r\n`;
  const parts = (count: number) => Array.from({ length: count }, (_, i) => short(i)).join('') + END;
  assert.equal(Object.keys(await fieldsOf(parts(1000))).length, 1000);
  assert.deepEqual(await read(parts(1001)), { kind: 'malformed' });
});

it('bodies broken anywhere end as fields or malformed, and throw nothing later', async () => {
  const uncaught: unknown[] = [];
  const note = (error: unknown) => uncaught.push(error);
  process.on('uncaughtExceptionMonitor', note);
  const token = fc.constantFrom(
    '--limit',
    '--limit--',
    '--',
    '\r\n',
    '\r\n\r\n',
    '\n',
    'Content-Disposition: form-data; name="a"',
    'Content-Disposition: form-data',
    'Content-Disposition:',
    '; filename="f"',
    "; filename*=utf-8''%zz",
    ';',
    '"',
    'Content-Type: text/plain; charset=',
    'utf-16le',
    'nonsense',
    'Content-Transfer-Encoding: base64',
    'name=',
    '\0',
    'é',
    ':',
    ' ',
  );
  const header = fc.constantFrom(
    TYPE,
    `${TYPE}; ;`,
    'multipart/form-data; boundary="',
    'multipart/form-data;;boundary=limit',
  );
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(token, { maxLength: 25 }), header, async (tokens, contentType) => {
        const started = performance.now();
        const result = await read(tokens.join('') || '-', contentType);
        assert.match(result.kind, /^(fields|malformed)$/);
        assert.ok(performance.now() - started < 4000, 'only the time limit ended it');
      }),
      { numRuns: 3000 },
    );
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('uncaughtExceptionMonitor', note);
  }
  assert.deepEqual(uncaught, []);
});
