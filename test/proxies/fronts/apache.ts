import type { Front } from '../front.ts';

const MODULES = [
  ['mpm_event_module', 'mod_mpm_event.so'],
  ['authz_core_module', 'mod_authz_core.so'],
  ['socache_shmcb_module', 'mod_socache_shmcb.so'],
  ['ssl_module', 'mod_ssl.so'],
  ['http2_module', 'mod_http2.so'],
  ['proxy_module', 'mod_proxy.so'],
  ['proxy_http2_module', 'mod_proxy_http2.so'],
] as const;

/** https://httpd.apache.org/docs/2.4/mod/mod_http2.html; MaxKeepAliveRequests does not count HTTP/2 streams. */
export const APACHE: Front = {
  name: 'apache2',
  package: 'apache2',
  program: '/usr/sbin/apache2',
  versionArgs: ['-v'],
  upstream: 'h2',
  limitsStreams: true,
  endsConnections: 'when idle for 300 ms',
  configure: ({ folder, certificateFile, keyFile, doors, limits }) => ({
    files: {
      'apache.conf': `
${MODULES.map(([name, file]) => `LoadModule ${name} /usr/lib/apache2/modules/${file}`).join('\n')}
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/apache.pid
Mutex file:${folder}
ErrorLog ${folder}/error.log
LogLevel warn
ServerName localhost
ServerLimit 8
StartServers 2
ThreadsPerChild 25
MaxRequestWorkers 200
Protocols h2
H2MaxSessionStreams ${limits.streams}
KeepAliveTimeout ${limits.requests === undefined ? '60' : '300ms'}
SSLCertificateFile ${certificateFile}
SSLCertificateKeyFile ${keyFile}
${doors
  .map(
    ({ listen, target }) => `
Listen 127.0.0.1:${listen}
<VirtualHost 127.0.0.1:${listen}>
  SSLEngine on
  SSLProxyEngine on
  SSLProxyVerify none
  SSLProxyCheckPeerName off
  ProxyPass / h2://127.0.0.1:${target}/
</VirtualHost>`,
  )
  .join('\n')}
`,
    },
    args: ['-DFOREGROUND', '-f', `${folder}/apache.conf`],
  }),
  reload: 'SIGUSR1',
};
