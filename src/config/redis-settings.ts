import { readCertificates } from '../lib/read-certificates.ts';
import {
  type RedisAddress,
  type RedisServer,
  type RedisSettings,
  readRedisAddress,
  readServers,
} from '../redis/redis-address.ts';
import { integer, isLoopback, oneOf, text } from './parsers.ts';
import type { Parse, SettingsReader } from './settings-reader.ts';

const address: Parse<RedisAddress> = (value) => {
  const reading = readRedisAddress(value);
  return reading.ok ? { value: reading.address } : { expected: reading.problem };
};

const serverList: Parse<RedisAddress['place']> = (value) => {
  const servers = readServers(value);
  return servers === undefined
    ? {
        expected:
          'must be host:port,host:port: servers of one Redis Cluster, 100 at most; account and TLS are settings of their own (REDIS_PASSWORD, REDIS_TLS=on)',
      }
    : { value: { kind: 'cluster', servers } };
};

/** Braces would choose the Cluster slot of every key; spaces and glob characters make ACL rules hard to write. */
const prefix: Parse<string> = (value) =>
  /^[A-Za-z0-9:._-]{1,64}$/.test(value)
    ? { value }
    : { expected: 'must be 1 to 64 letters, digits and characters of : . _ -' };

const certificates: Parse<string> = (value) => {
  const reading = readCertificates(value);
  return reading.ok ? { value: reading.pem } : { expected: `names a file that ${reading.problem}` };
};

/** Reads everything about Redis; `redis` is undefined where none is set. */
export function readRedisSettings(reader: SettingsReader): { readonly redis: RedisSettings | undefined } {
  const url = reader.readSecret('REDIS_URL', address);
  const list = reader.readOptional('REDIS_SERVER_LIST', serverList);
  const username = reader.readOptional('REDIS_USERNAME', text);
  const password = reader.readSecret('REDIS_PASSWORD', text);
  const sentinelUsername = reader.readOptional('REDIS_SENTINEL_USERNAME', text);
  const sentinelPassword = reader.readSecret('REDIS_SENTINEL_PASSWORD', text);
  const tls = reader.readOptional('REDIS_TLS', oneOf('on', 'off'), list === undefined ? '' : 'off');
  const ca = reader.readContent('REDIS_CA_FILE', certificates);
  const rest = {
    ca,
    sentinelLogin:
      sentinelPassword === undefined ? undefined : { username: sentinelUsername, password: sentinelPassword },
    timeoutMs: reader.read('REDIS_TIMEOUT', '300', integer(50, 5_000, 'milliseconds')),
    required: ['on', 'true'].includes(
      reader.read('REDIS_REQUIRED', 'off', oneOf('on', 'off', 'true', 'false')),
    ),
    prefix: reader.read('REDIS_PREFIX', 'vm:', prefix),
  };
  const account = { username, password };
  const found =
    url === undefined ? list && { ...account, place: list, tls: tls === 'on' } : withAccount(url, account);
  const encrypted = found?.tls ?? false;
  for (const problem of contradictions(reader, url, encrypted)) reader.problem(problem);
  if (rest.required && !reader.isSet('REDIS_URL') && !reader.isSet('REDIS_SERVER_LIST')) {
    reader.problem('REDIS_REQUIRED needs REDIS_URL or REDIS_SERVER_LIST');
  }
  return { redis: found === undefined ? undefined : { ...found, ...rest } };
}

/** The address, with the account of the other settings where it names none. */
function withAccount(
  url: RedisAddress,
  { username, password }: Pick<RedisAddress, 'username' | 'password'>,
): RedisAddress {
  return url.password === undefined ? { ...url, username, password } : url;
}

function* contradictions(
  reader: SettingsReader,
  url: RedisAddress | undefined,
  encrypted: boolean,
): Generator<string> {
  if (reader.isSet('REDIS_URL')) {
    if (reader.isSet('REDIS_SERVER_LIST')) {
      yield 'REDIS_SERVER_LIST and REDIS_URL are both set; set one of them';
    }
    if (reader.isSet('REDIS_TLS')) {
      yield 'REDIS_TLS is for REDIS_SERVER_LIST; write rediss:// in REDIS_URL for an encrypted connection';
    }
    if (url?.password !== undefined && reader.isSet('REDIS_PASSWORD')) {
      yield 'REDIS_PASSWORD is set and REDIS_URL holds a password; set one of them';
    }
    if (url?.password !== undefined && reader.isSet('REDIS_USERNAME')) {
      yield 'REDIS_USERNAME is set and REDIS_URL names an account; set one of them';
    }
  }
  if (reader.isSet('REDIS_USERNAME') && !reader.isSet('REDIS_PASSWORD') && url?.password === undefined) {
    yield 'REDIS_USERNAME needs REDIS_PASSWORD';
  }
  if (reader.isSet('REDIS_SENTINEL_PASSWORD') && url?.place.kind !== 'sentinel') {
    yield 'REDIS_SENTINEL_PASSWORD needs Sentinels: write redis+sentinel:// in REDIS_URL';
  }
  if (reader.isSet('REDIS_SENTINEL_USERNAME') && !reader.isSet('REDIS_SENTINEL_PASSWORD')) {
    yield 'REDIS_SENTINEL_USERNAME needs REDIS_SENTINEL_PASSWORD';
  }
  if (reader.isSet('REDIS_CA_FILE') && !encrypted) {
    yield 'REDIS_CA_FILE needs an encrypted connection: rediss:// in REDIS_URL, or REDIS_TLS=on with REDIS_SERVER_LIST';
  }
}

/** Doubts about the way to Redis, for `settingWarnings`. */
export function redisWarnings(redis: RedisSettings | undefined): readonly string[] {
  if (
    redis === undefined ||
    redis.tls ||
    serversOf(redis).every((server) => 'path' in server || isLoopback(server.host))
  )
    return [];
  return [
    'the connection to Redis is not encrypted; write rediss:// in REDIS_URL, or REDIS_TLS=on with REDIS_SERVER_LIST',
  ];
}

function serversOf({ place }: RedisAddress): readonly RedisServer[] {
  switch (place.kind) {
    case 'single':
      return [place.server];
    case 'sentinel':
      return place.sentinels;
    case 'cluster':
      return place.servers;
    default:
      return place satisfies never;
  }
}
