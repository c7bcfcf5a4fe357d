import type { Front } from '../front.ts';

/** https://caddyserver.com/docs/caddyfile/options; streams are Go's 250, whatever is configured, and requests are not counted. */
export const CADDY: Front = {
  name: 'caddy',
  package: 'caddy',
  program: '/usr/bin/caddy',
  versionArgs: ['version'],
  upstream: 'h2',
  limitsStreams: false,
  endsConnections: 'when idle for 300 ms',
  configure: ({ folder, certificateFile, keyFile, doors, limits }) => ({
    files: {
      Caddyfile: `
{
  admin unix/${folder}/admin.sock
  auto_https off
  storage file_system ${folder}/storage
  servers {
    timeouts {
      idle ${limits.requests === undefined ? '60s' : '300ms'}
    }
  }
}
${doors
  .map(
    ({ listen, target }) => `
https://127.0.0.1:${listen} {
  bind 127.0.0.1
  tls ${certificateFile} ${keyFile}
  reverse_proxy https://127.0.0.1:${target} {
    transport http {
      versions 2
      tls_insecure_skip_verify
    }
  }
}`,
  )
  .join('\n')}
`,
    },
    args: ['run', '--config', `${folder}/Caddyfile`, '--adapter', 'caddyfile'],
  }),
  reload: (folder) => [
    'reload',
    '--force',
    '--config',
    `${folder}/Caddyfile`,
    '--adapter',
    'caddyfile',
    '--address',
    `unix/${folder}/admin.sock`,
  ],
};
