import { READINESS_SUBJECTS } from '../../src/http/routes/ops-routes.ts';
import { type EventRow, testEvents } from './recorded.ts';

function reason(subject: (typeof READINESS_SUBJECTS)[number], text: string) {
  return { subject, text };
}

testEvents('readiness', [
  ...READINESS_SUBJECTS.flatMap((subject): EventRow[] => [
    {
      name: `is 1 while degraded: ${subject}`,
      happens: ({ readiness }) =>
        readiness.readinessLooked({ notReady: [], degraded: [reason(subject, 'x')] }),
      lines: [],
      moves: { [`readiness{subject="${subject}"}`]: 1 },
    },
    {
      name: `is 2 while not ready: ${subject}`,
      happens: ({ readiness }) =>
        readiness.readinessLooked({ notReady: [reason(subject, 'x')], degraded: [reason(subject, 'y')] }),
      lines: [],
      moves: { [`readiness{subject="${subject}"}`]: 2 },
    },
  ]),
  {
    name: 'is 0 again',
    happens: ({ readiness }) => {
      readiness.readinessLooked({ notReady: [reason('redis', 'x')], degraded: [reason('load', 'y')] });
      readiness.readinessLooked({ notReady: [], degraded: [] });
    },
    lines: [],
    moves: {},
  },
  {
    name: 'has changed: how loudly, why, and what the database said',
    happens: ({ readiness }) => {
      const both = { notReady: [reason('database', 'a')], degraded: [reason('load', 'b')] };
      const cause = new Error('first', { cause: new Error('innermost') });
      readiness.readinessChanged(both, cause);
      readiness.readinessChanged({ ...both, notReady: [] }, undefined);
      readiness.readinessChanged({ notReady: [], degraded: [] }, 'text');
    },
    lines: [
      ['error', 'not ready: this instance cannot serve calls', { reasons: 'a; b', said: 'innermost' }],
      ['warn', 'degraded: calls are served, but not everything works', { reasons: 'b' }],
      ['info', 'ready: calls are served as they should be', {}],
    ],
    moves: {},
  },
]);

testEvents('TLS', [
  {
    name: 'was read again',
    happens: ({ tls }) => tls.reloaded({ subject: 'CN=a', expiresAt: Date.UTC(2030, 0, 2) }),
    lines: [
      [
        'info',
        'TLS files read again: new connections use them',
        { certificate: 'CN=a', expires: '2030-01-02T00:00:00.000Z' },
      ],
    ],
    moves: { 'tls_reloads_total{result="taken"}': 1 },
  },
  {
    name: 'was read again and cannot be used',
    happens: ({ tls }) => tls.reloadFailed({ problems: ['a', 'b'] }),
    lines: [['error', 'TLS files read again and not used: the former ones stay', { tlsProblem: 'a; b' }]],
    moves: { 'tls_reloads_total{result="failed"}': 1 },
  },
  {
    name: 'is not there to be read again',
    happens: ({ tls }) => tls.nothingToReload(),
    lines: [['info', 'SIGHUP: nothing to reload, TLS_CERT_FILE is not set', {}]],
    moves: {},
  },
  ...(
    [
      'handshake-timeout',
      'connection-lost',
      'old-protocol',
      'no-shared-cipher',
      'plain-http',
      'not-tls',
      'certificate-refused',
      'other',
    ] as const
  ).map(
    (why): EventRow => ({
      name: `a client gets none: ${why}`,
      happens: ({ tls }) => tls.clientFailed({ why }),
      lines: [],
      moves: { [`tls_client_errors_total{why="${why}"}`]: 1 },
    }),
  ),
]);

testEvents('the event loop', [
  {
    name: 'is late, and no longer',
    happens: ({ sheddingChanged }) => {
      sheddingChanged(true, 300.4);
      sheddingChanged(false, 10.6);
    },
    lines: [
      ['warn', 'new calls are turned away: the event loop is late', { delayMs: 300 }],
      ['info', 'new calls are taken again', { delayMs: 11 }],
    ],
    moves: {},
  },
]);
