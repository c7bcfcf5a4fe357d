import type { Front } from '../front.ts';

/** https://h2o.examp1e.net/configure/http2_directives.html; it always announces 100 streams, and speaks HTTP/1.1 to servers. */
export const H2O: Front = {
  name: 'h2o',
  package: 'h2o',
  program: '/usr/bin/h2o',
  versionArgs: ['--version'],
  upstream: 'HTTP/1.1',
  limitsStreams: false,
  endsConnections: 'when idle for 1 s',
  configure: ({ folder, certificateFile, keyFile, doors, limits }) => ({
    files: {
      'h2o.conf': `
pid-file: ${folder}/h2o.pid
error-log: ${folder}/error.log
num-threads: 2
http2-idle-timeout: ${limits.requests === undefined ? 60 : 1}
hosts:
${doors
  .map(
    ({ listen, target }) => `
  "127.0.0.1:${listen}":
    listen:
      host: 127.0.0.1
      port: ${listen}
      ssl:
        certificate-file: ${certificateFile}
        key-file: ${keyFile}
        ocsp-update-interval: 0
    paths:
      "/":
        proxy.reverse.url: "http://127.0.0.1:${target}/"
        proxy.preserve-host: ON`,
  )
  .join('\n')}
`,
    },
    args: ['-m', 'master', '-c', `${folder}/h2o.conf`],
  }),
  reload: 'SIGHUP',
};
