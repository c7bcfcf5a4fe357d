import type { Front } from '../front.ts';

/** http://nginx.org/en/docs/http/ngx_http_v2_module.html; it speaks HTTP/1.1 to servers. */
export const NGINX: Front = {
  name: 'nginx',
  package: 'nginx',
  program: '/usr/sbin/nginx',
  versionArgs: ['-v'],
  upstream: 'HTTP/1.1',
  limitsStreams: true,
  endsConnections: 'after so many requests',
  configure: ({ folder, certificateFile, keyFile, doors, limits }) => ({
    files: {
      'nginx.conf': `
worker_processes 2;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  ssl_certificate ${certificateFile};
  ssl_certificate_key ${keyFile};
  http2_max_concurrent_streams ${limits.streams};
  ${limits.requests === undefined ? '' : `keepalive_requests ${limits.requests};`}
${doors
  .map(
    ({ listen, target }) => `
  upstream at_${target} {
    server 127.0.0.1:${target};
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${listen} ssl http2;
    location / {
      proxy_pass http://at_${target};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }`,
  )
  .join('\n')}
}
`,
    },
    args: ['-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`, '-g', 'daemon off;'],
  }),
  reload: 'SIGHUP',
};
