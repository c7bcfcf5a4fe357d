import type { Front } from '../front.ts';

/** https://nghttp2.org/documentation/nghttpx.1.html */
export const NGHTTPX: Front = {
  name: 'nghttpx',
  package: 'nghttp2-proxy',
  program: '/usr/sbin/nghttpx',
  versionArgs: ['--version'],
  upstream: 'h2',
  limitsStreams: true,
  endsConnections: 'after so many requests',
  configure: ({ folder, certificateFile, keyFile, doors, limits }) => ({
    files: {
      // A backend is chosen by the path, not by the port that the request came to. One has to take every other path.
      'nghttpx.conf': `
workers=2
pid-file=${folder}/nghttpx.pid
errorlog-file=${folder}/error.log
accesslog-file=/dev/null
insecure=yes
no-ocsp=yes
frontend-http2-max-concurrent-streams=${limits.streams}
${limits.requests === undefined ? '' : `frontend-max-requests=${limits.requests}`}
private-key-file=${keyFile}
certificate-file=${certificateFile}
${doors
  .map(
    ({ listen, target, path }, index) => `
frontend=127.0.0.1,${listen}
backend=127.0.0.1,${target};${path}${index === 0 ? ':/' : ''};proto=h2;tls`,
  )
  .join('\n')}
`,
    },
    args: [`--conf=${folder}/nghttpx.conf`],
  }),
  reload: 'SIGHUP',
};
