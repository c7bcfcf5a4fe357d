import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as secure } from 'node:tls';
import { createInstance } from '../faults/many/instance.ts';
import type { Front, Site } from './front.ts';
import { NGINX } from './fronts/nginx.ts';
import type { Stage } from './run-trial.ts';
import { startFront } from './running-front.ts';

/** A PBX's address by the rule; everybody else is the internet. */
const PBX_ADDRESS = '127.0.0.9';
const INTERNET_ADDRESS = '127.0.0.1';
const TIMEOUT_MS = 10_000;

const PBX_PATHS = ['incoming-call', 'call-cancelled'] as const;

/** Ways to write a PBX's path, or one that may be taken for it, that have got past rules of proxies before. */
function spellingsOf(name: string): readonly string[] {
  return [
    `/api/${name}/`,
    `/api/${name}`,
    `/api/${name}?a=/api/call-response/`,
    `/api/${name}/x/y`,
    `//api/${name}/`,
    `/api//${name}/`,
    `///api///${name}///`,
    `/api/${name}//`,
    `/api/${name}/../call-response/`,
    `/api/${name}/./`,
    `/api/call-response/../${name}/`,
    `/api/./${name}/`,
    `/./api/${name}/`,
    `/x/../api/${name}/`,
    `/api/x/../../api/${name}/`,
    `/api/${name}/%2e%2e/call-response/`,
    `/api/${name}/%2E./call-response/`,
    `/api/${name}/..%2fcall-response/`,
    `/api/${name}%2f..%2fcall-response/`,
    `/api/${name}/%252e%252e/call-response/`,
    `/api/call-response/%2e%2e/${name}/`,
    `/api/call-response%2f..%2f${name}/`,
    `/api/%2e/${name}/`,
    `/api%2f${name}/`,
    `/api%2F${name}%2F`,
    `/%2fapi/${name}/`,
    `/%61pi/${name}/`,
    `/api/%${name.charCodeAt(0).toString(16)}${name.slice(1)}/`,
    `/api/%25${name.charCodeAt(0).toString(16)}${name.slice(1)}/`,
    `/api/${name}/..;/call-response/`,
    `/api/${name};/../call-response/`,
    `/api;x=1/${name}/`,
    `/;/api/${name}/`,
    `/api/${name};x=1`,
    `/API/${name}/`,
    `/api/${name.toUpperCase()}/`,
    `/Api/${name}/../call-response/`,
    `/api\\${name}/`,
    `/api/${name}/..\\call-response/`,
    `/api/${name}\\..\\call-response/`,
    `/api/${name}/%5c..%5ccall-response/`,
    `/api/${name}/%00`,
    `/api/%00/../${name}/`,
    `/api/${name}%20`,
    `/api/${name}/#/../call-response/`,
    `/api/${name}/%23/../call-response/`,
    `/api/${name}/?/../call-response/`,
    `/api/call-response/?/../../${name}/`,
    `http://middleware/api/${name}/`,
    `http://middleware/api/${name}/../call-response/`,
    `/api/${name}/%c0%ae%c0%ae/call-response/`,
    `/api/${name}/\u00ff/../../call-response/`,
  ];
}

/** The rule of docs/operations.md as a configuration of the proxy's, with this machine's addresses. */
function withTheRule(port: number): Front {
  return {
    ...NGINX,
    upstream: 'h2',
    configure: (site) => {
      const { files, args } = NGINX.configure({ ...site, doors: [] });
      const [name = '', text = ''] = Object.entries(files)[0] ?? [];
      return { files: { [name]: text.replace(/}\s*$/, `${localRule(site, port)}\n}\n`) }, args };
    },
  };
}

function localRule({ certificateFile, keyFile, doors }: Site, port: number): string {
  const [, documented] = /^```nginx\n([\s\S]*?)^```$/m.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
  let rule = documented ?? '';
  for (const [written, local] of [
    [/^ +server 10\.0\.0\.\d+:8080/gm, `server 127.0.0.1:${port}`],
    [/^ +listen 8443 ssl;/m, doors.map(({ listen }) => `listen 127.0.0.1:${listen} ssl;`).join('\n')],
    [/ssl_certificate +\S+;/, `ssl_certificate ${certificateFile};`],
    [/ssl_certificate_key +\S+;/, `ssl_certificate_key ${keyFile};`],
    [/allow 10\.0\.0\.0\/8;/, `allow ${PBX_ADDRESS};`],
  ] as const) {
    if (rule.search(written) < 0)
      throw new Error(`docs/operations.md: nginx' configuration has no ${written}`);
    rule = rule.replace(written, local);
  }
  return rule;
}

/** What a request came to: the service refuses PBXs without their token with 403, which apps never hear with ACCOUNT_AUTH=none. */
interface Heard {
  /** 0: no answer. */
  readonly status: number;
  readonly reachedPbxRoute: boolean;
}

/** Sends a request whose target is as it is written. */
async function ask(origin: string, target: string, from: string): Promise<Heard> {
  const { hostname: host, port } = new URL(origin);
  // The certificate is of no interest here: the test has made it.
  const plain = connect({ host, port: Number(port), localAddress: from });
  plain.on('error', () => {});
  const socket = secure({ socket: plain, rejectUnauthorized: false });
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
  let answer = '';
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (text) => {
    answer += text;
  });
  const closed = once(socket, 'close');
  const body = 'sip_user_id=399999999&phonenumber=0201234567&call_id=rule';
  const head = [
    `POST ${target} HTTP/1.1`,
    'Host: middleware',
    'Connection: close',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1');
  await closed;
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
  return { status, reachedPbxRoute: status === 403 && !answer.includes('<center>nginx') };
}

/**
 * Puts nginx with the rule of docs/operations.md before the service, and asks from outside for a PBX's routes in every
 * spelling. Resolves with what is wrong, in words; nothing: no spelling reaches them, and PBXs do.
 */
export async function tryNginxRule(stage: Stage): Promise<readonly string[]> {
  await using open = stage.open.use(new AsyncDisposableStack());
  const instance = await createInstance('A', {
    ...stage.settings,
    PBX_TOKEN: 'a-token-that-nobody-sends',
    TRUST_PROXY: '127.0.0.1',
  });
  open.defer(() => instance.kill());
  await instance.start();
  const front = await startFront(withTheRule(instance.port), stage.world, {
    streams: 100,
    requests: undefined,
  });
  open.defer(() => front.close());
  const origin = front.settings.APNS_URL;
  const problems: string[] = [];
  for (const name of PBX_PATHS) {
    const pbx = await ask(origin, `/api/${name}/`, PBX_ADDRESS);
    if (!pbx.reachedPbxRoute)
      problems.push(`a PBX that asks for /api/${name}/ gets ${pbx.status} from nginx`);
    for (const target of spellingsOf(name)) {
      const { status, reachedPbxRoute } = await ask(origin, target, INTERNET_ADDRESS);
      if (reachedPbxRoute) problems.push(`${target} leads from the internet to a PBX's route`);
      else if (status === 0 || status >= 500) problems.push(`${target} from the internet gets ${status}`);
    }
  }
  const app = await ask(origin, '/api/call-response/', INTERNET_ADDRESS);
  if (app.status === 403 || app.status === 0 || app.status >= 500)
    problems.push(`an app that answers gets ${app.status}`);
  return problems;
}
