import type { Front } from '../front.ts';

/** https://docs.haproxy.org/2.6/configuration.html; it does not count requests. It looks for a key beside its certificate, with `.key` after the name. */
export const HAPROXY: Front = {
  name: 'haproxy',
  package: 'haproxy',
  program: '/usr/sbin/haproxy',
  versionArgs: ['-v'],
  upstream: 'h2',
  limitsStreams: true,
  endsConnections: 'when idle for 300 ms',
  configure: ({ folder, certificateFile, doors, limits }) => ({
    files: {
      'haproxy.cfg': `
global
  master-worker
  maxconn 2000
  tune.h2.max-concurrent-streams ${limits.streams}
defaults
  mode http
  timeout connect 2s
  timeout server 15s
  timeout client 15s
  timeout http-keep-alive ${limits.requests === undefined ? '60s' : '300ms'}
${doors
  .map(
    ({ listen, target }) => `
frontend in_${listen}
  bind 127.0.0.1:${listen} ssl crt ${certificateFile} alpn h2
  default_backend to_${target}
backend to_${target}
  server stand-in 127.0.0.1:${target} ssl verify none alpn h2`,
  )
  .join('\n')}
`,
    },
    args: ['-W', '-db', '-f', `${folder}/haproxy.cfg`],
  }),
  reload: 'SIGUSR2',
};
