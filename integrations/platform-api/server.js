// A platform API for vialer-middleware with one user: docs/platform-api.md. In your own, ask your database instead.
import { createServer } from 'node:http';

const PORT = Number(process.env.PORT ?? 8090);
const USERS = [{ login: 'alice@example.org', password: 'password', account: 123456789 }];

/** The user of an Authorization header with the scheme Basic; undefined if the credential is wrong. */
function findUser(authorization = '') {
  const [scheme, encoded = ''] = authorization.split(' ');
  const [login, ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  if (scheme.toLowerCase() !== 'basic') return undefined;
  return USERS.find((user) => user.login === login && user.password === password.join(':'));
}

/** Status and body for a path. */
function answer(path, user) {
  if (user === undefined) return [401, { detail: 'Wrong login or password.' }];
  const account = user.account === null ? null : `/accounts/${user.account}/`;
  if (path === '/api/permission/systemuser/profile/') return [200, { app_account: account }];
  if (path === account) return [200, { account_id: user.account }];
  return [403, { detail: 'Not yours.' }];
}

createServer((request, response) => {
  const [status, body] = answer(request.url, findUser(request.headers.authorization));
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}).listen(PORT, '127.0.0.1', () =>
  process.stdout.write(`The platform API listens on http://127.0.0.1:${PORT}\n`),
);
