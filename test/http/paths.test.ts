import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fastify } from 'fastify';
import { ALL_ENDPOINTS } from '../../src/http/wire/paths.ts';

it('each path reaches its endpoint, and only that', async () => {
  const server = fastify();
  for (const endpoint of ALL_ENDPOINTS) {
    for (const url of endpoint.patterns) {
      server.route({ method: [...endpoint.methods], url, handler: async () => endpoint.name });
    }
  }
  const rows: readonly (readonly ['GET' | 'POST' | 'DELETE', string, string | undefined])[] = [
    ['POST', '/api/incoming-call/', 'incoming-call'],
    ['POST', '/api/incoming-call', 'incoming-call'],
    ['POST', '/api/incoming-call/x', 'incoming-call'],
    ['POST', '/api/incoming-call?a=1', 'incoming-call'],
    ['POST', '/api/call-cancelled/', 'call-cancelled'],
    ['POST', '/api/call-response/', 'call-response'],
    ['POST', '/api/call-response/api/call-response/', 'call-response'],
    ['POST', '/api/call-response//', 'call-response'],
    ['POST', '/api/apns-device/', 'apns-device'],
    ['DELETE', '/api/apns-device', 'apns-device'],
    ['DELETE', '/api/apns-device/?token=x', 'apns-device'],
    ['POST', '/api/gcm-device/', 'gcm-device'],
    ['DELETE', '/api/gcm-device/', 'gcm-device'],
    ['POST', '/api/android-device/', 'android-device'],
    ['DELETE', '/api/android-device', 'android-device'],
    ['POST', '/api/hangup-reason/', 'hangup-reason'],
    ['POST', '/api/log-metrics/', 'log-metrics'],
    ['POST', '/api/check-in/', 'check-in'],
    ['GET', '/healthz', 'healthz'],
    ['GET', '/healthz/', 'healthz'],
    ['GET', '/readyz', 'readyz'],
    ['GET', '/readyz/', 'readyz'],
    ['GET', '/openapi.json/', 'openapi.json'],
    ['GET', '/openapi.json', 'openapi.json'],
    ['POST', '/api/Incoming-Call/', undefined],
    ['POST', '/api/incoming-calls/', undefined],
    ['POST', '/api//incoming-call/', undefined],
    ['POST', '//api/incoming-call/', undefined],
    ['POST', '/api/register-apns-device/', undefined],
    ['POST', '/x/api/call-response/', undefined],
    ['GET', '/healthz/x', undefined],
    ['GET', '/api/', undefined],
  ];
  for (const [method, url, name] of rows) {
    const reply = await server.inject({ method, url });
    assert.equal(reply.statusCode === 404 ? undefined : reply.body, name, `${method} ${url}`);
  }
  await server.close();
});

it('only phones are unregistered, only pages are read', () => {
  const methods = Object.fromEntries(ALL_ENDPOINTS.map(({ name, methods }) => [name, methods.join(' ')]));
  assert.deepEqual(methods, {
    'incoming-call': 'POST',
    'call-cancelled': 'POST',
    'call-response': 'POST',
    'apns-device': 'POST DELETE',
    'gcm-device': 'POST DELETE',
    'android-device': 'POST DELETE',
    'hangup-reason': 'POST',
    'log-metrics': 'POST',
    'check-in': 'POST',
    healthz: 'GET',
    readyz: 'GET',
    'openapi.json': 'GET',
  });
});
