import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createFaultScript } from './fault-script.ts';
import type { HttpFault } from './http-fault.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';
import { pause } from './pause.ts';

/** What can go wrong at the platform: see HttpFault; the others spoil one field of a right answer. */
type PlatformFault =
  | HttpFault
  /** 302 to another path, where the right answer would be. */
  | { readonly kind: 'redirect' }
  /** 200 with a body that is not JSON. */
  | { readonly kind: 'garbage' }
  /** 200 with a JSON object without the key that is needed. */
  | { readonly kind: 'missing-key' }
  /** The profile of a user without an account: `app_account` is null. */
  | { readonly kind: 'null-account' };

/** The two questions that the platform answers. */
type PlatformQuestion = 'profile' | 'account';

/** A SIP account and who may use it. */
interface PlatformUser {
  readonly account: number;
  /** Email address. */
  readonly user: string;
  readonly password: string;
  /** API token, as `Token user:token`. */
  readonly token: string;
}

/** The platform API, VoIPGRID's, that says whether a credential belongs to a SIP account. */
export interface PlatformApi {
  /** Base URL, without a slash at the end. */
  readonly url: string;
  /** Adds a user; gives the Authorization headers that are right for it. */
  addUser(user: PlatformUser): { readonly basic: string; readonly token: string };
  script(
    fault: PlatformFault,
    scope?: { readonly question?: PlatformQuestion; readonly times?: number },
  ): void;
  clearFaults(): void;
  /** Connections accepted since the start. */
  connections(): number;
  /** Requests for one question since the start. */
  requests(question: PlatformQuestion): number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const PROFILE_PATH = '/api/permission/systemuser/profile/';
const ACCOUNT_PATH = '/api/phoneaccount/basic/phoneaccount/';
const PLAIN_KEEP_ALIVE_MS = 60_000;

function json(status: number, value: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  };
}

const REFUSED = json(401, { detail: 'Incorrect authentication credentials.' });

function rightAnswer(question: PlatformQuestion, user: PlatformUser | undefined, path: string): Answer {
  if (user === undefined) return REFUSED;
  const resource = `${ACCOUNT_PATH}${user.account}/`;
  if (question === 'profile') return json(200, { email: user.user, app_account: resource });
  return path === resource
    ? json(200, { account_id: user.account, internal_number: 201 })
    : json(403, { detail: 'You do not have permission to perform this action.' });
}

/** How the platform API's stand-in behaves. */
export interface PlatformOptions {
  /** 0, the default, picks a free port. */
  readonly port?: number;
  /** Users who were not added may log in, too: `123456789` or `123456789@…`, for that account, with any password. */
  readonly everyAccount?: boolean;
}

/** The user of a login that names its account: `Basic` or `Token`, any password. */
function userByName(authorization: string): PlatformUser | undefined {
  const [scheme, rest = ''] = authorization.split(' ', 2);
  const login = scheme === 'Basic' ? Buffer.from(rest, 'base64').toString() : scheme === 'Token' ? rest : '';
  const [, user = '', account, password = ''] = /^(([1-9]\d{8})(?:@[^:]*)?):(.+)$/.exec(login) ?? [];
  return account === undefined ? undefined : { account: Number(account), user, password, token: password };
}

/** Starts the stand-in for the platform API over HTTP/1.1 on 127.0.0.1. */
export async function startPlatformApi(options: PlatformOptions = {}): Promise<PlatformApi> {
  const users = new Map<string, PlatformUser>();
  const faults = createFaultScript<PlatformFault>();
  const sockets = new Set<Socket>();
  const counts = { profile: 0, account: 0 };
  let connections = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<Answer | 'none'> => {
    const path = request.url ?? '';
    const question = path === PROFILE_PATH ? 'profile' : 'account';
    if (question === 'account' && !path.startsWith(ACCOUNT_PATH)) return json(404, { detail: 'Not found.' });
    if (request.method !== 'GET') return json(405, { detail: 'Method not allowed.' });
    counts[question] += 1;
    const { authorization = '' } = request.headers;
    const named = options.everyAccount === true ? userByName(authorization) : undefined;
    const right = rightAnswer(question, users.get(authorization) ?? named, path);
    const fault = faults.take(question)?.fault;
    switch (fault?.kind) {
      case undefined:
        return right;
      case 'delay':
        await pause(fault.ms, response);
        return right;
      case 'answer':
        return fault;
      case 'redirect':
        return { status: 302, headers: { location: `${path}?moved=1` } };
      case 'garbage':
        return { status: 200, headers: { 'content-type': 'application/json' }, body: '<html>not JSON' };
      case 'missing-key':
        return json(200, {});
      case 'null-account':
        return json(200, { app_account: null });
      case 'disconnect':
        request.destroy();
        return 'none';
      case 'hang':
        return 'none';
      default:
        return fault satisfies never;
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reply = await answer(request, response);
    if (reply === 'none' || response.destroyed) return;
    response.writeHead(reply.status, reply.headers).end(reply.body);
  };

  const server = createServer({ keepAliveTimeout: PLAIN_KEEP_ALIVE_MS }, (request, response) => {
    void serve(request, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listenOnLoopback(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    addUser: (user) => {
      const basic = `Basic ${Buffer.from(`${user.user}:${user.password}`).toString('base64')}`;
      const token = `Token ${user.user}:${user.token}`;
      users.set(basic, user).set(token, user);
      return { basic, token };
    },
    script: (fault, { question, times } = {}) => faults.add(fault, { key: question, times }),
    clearFaults: faults.clear,
    connections: () => connections,
    requests: (question) => counts[question],
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        for (const socket of sockets) socket.destroy();
      }),
  };
}
