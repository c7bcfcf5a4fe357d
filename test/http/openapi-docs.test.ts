import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { CALL_OUTCOMES } from '../../src/calls/call-outcome.ts';
import { openApiDocument } from '../../src/http/openapi/openapi-document.ts';
import type { BodySchema, Fields } from '../../src/http/wire/fields/body-schema.ts';
import { ALL_ENDPOINTS } from '../../src/http/wire/paths.ts';
import * as schemas from '../../src/http/wire/schemas.ts';

const page = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8');
const sections = page.split(/^## /m);

const SECTION_OF: Readonly<Record<keyof typeof schemas, string>> = {
  IncomingCall: 'POST /api/incoming-call/',
  CallCancelled: 'POST /api/call-cancelled/',
  CallResponse: 'POST /api/call-response/',
  DeviceRegistrationBody: 'POST /api/apns-device/',
  DeviceRemovalBody: 'DELETE /api/apns-device/',
  HangupReason: 'POST /api/hangup-reason/',
  LogMetrics: 'POST /api/log-metrics/',
  CheckIn: 'POST /api/check-in/',
};

function section(title: string): string {
  const found = sections.find((text) => text.startsWith(title));
  assert.ok(found, `docs/http-api.md has no section "${title}"`);
  return found;
}

it('docs/http-api.md has every endpoint with each of its methods', () => {
  const titles = sections.map((text) => text.split('\n', 1)[0] ?? '');
  for (const { path, methods } of ALL_ENDPOINTS) {
    for (const method of methods) {
      assert.ok(
        titles.some((title) => title.startsWith(`${method} `) && title.includes(path)),
        `${method} ${path}`,
      );
    }
  }
});

it('docs/http-api.md names every field in the section of its endpoint', () => {
  for (const [name, title] of Object.entries(SECTION_OF)) {
    const body: BodySchema<Fields> | undefined = Object.entries(schemas).find(([key]) => key === name)?.[1];
    assert.ok(body);
    const text = section(title);
    for (const field of Object.keys(body.schema.properties)) {
      assert.ok(text.includes(`\`${field}\``), `${title}: ${field}`);
    }
  }
});

it('docs/http-api.md names every outcome', () => {
  const text = section('POST /api/incoming-call/');
  for (const outcome of CALL_OUTCOMES) assert.ok(text.includes(`\`${outcome}\``), outcome);
});

it('no field has a `default`, of which generators make a field that must be sent', () => {
  for (const body of Object.values(schemas)) {
    for (const [name, field] of Object.entries(body.schema.properties))
      assert.ok(!('default' in field), `${body.name}: ${name}`);
  }
});

it('docs/http-api.md has every error text of the OpenAPI document', () => {
  const document = JSON.stringify(
    openApiDocument({ version: '1', outcomes: CALL_OUTCOMES, appApiUrl: undefined, hasPbxListener: false }),
  );
  const texts = Array.from(document.matchAll(/"detail":\{"type":"string","enum":\["([^\]]*)"\]/g), (match) =>
    (match[1] ?? '').split('","'),
  ).flat();
  assert.ok(texts.length > 5);
  for (const text of new Set(texts)) assert.ok(page.includes(`{"detail":"${text}"}`), text);
});
