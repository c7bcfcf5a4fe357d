import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';
import { type EventRow, testEvents } from './recorded.ts';

const BUG = new TypeError('a bug');
const GONE = new StorageUnavailable('gone', { cause: undefined });
const GONE_WORDS = 'StorageUnavailable: storage unavailable: the database server cannot be reached';

testEvents('the database', [
  {
    name: 'is away when the service starts, and then opened',
    happens: (telemetry) => {
      telemetry.databaseAway(GONE);
      telemetry.databaseOpened([]);
    },
    lines: [
      [
        'error',
        'the database could not be asked',
        { during: 'opening the database; it is waited for', error: GONE_WORDS },
      ],
      ['info', 'the database is available', { times: 1, lastedSeconds: 0 }],
    ],
    moves: { storage_failures_total: 1 },
  },
  {
    name: 'is opened at once and migrated',
    happens: ({ databaseOpened }) => databaseOpened(['001-a', '002-b']),
    lines: [['info', 'database migrated', { migrations: '001-a, 002-b' }]],
    moves: {},
  },
  {
    name: 'answers',
    happens: ({ databaseHealth }) => databaseHealth(true),
    lines: [],
    moves: { mysql_health: 1 },
  },
  {
    name: 'answers no more',
    happens: ({ databaseHealth }) => {
      databaseHealth(true);
      databaseHealth(false);
    },
    lines: [],
    moves: {},
  },
  {
    name: 'answers again, once a probe finds no failure since the last one',
    happens: ({ databaseHealth, http, log }) => {
      http.storageFailed({ during: 'a check-in', error: GONE });
      databaseHealth(false);
      http.storageFailed({ during: 'a check-in', error: GONE });
      databaseHealth(true);
      log.write('info', 'not yet', {});
      databaseHealth(true);
      databaseHealth(true);
    },
    lines: [
      ['error', 'the database could not be asked', { during: 'a check-in', error: GONE_WORDS }],
      ['info', 'not yet', {}],
      ['info', 'the database answers again', { times: 2, lastedSeconds: 0 }],
    ],
    moves: { storage_failures_total: 2, mysql_health: 1 },
  },
  ...(
    [
      ['a fault that is expected', GONE, { error: GONE_WORDS }, []],
      ['a bug', BUG, {}, [BUG]],
    ] as const
  ).map(
    ([what, error, fields, more]): EventRow => ({
      name: `is away and memory serves: ${what}`,
      happens: ({ deviceCache }) => {
        deviceCache.servedFromCache({ first: true, error });
        deviceCache.servedFromCache({ first: false, error });
        deviceCache.cacheRetired({ calls: 2 });
      },
      lines: [
        ['error', 'the database is unreachable: phones of calls are looked up in memory', fields, ...more],
        ['info', 'phones are looked up in the database again', { calls: 2 }],
      ],
      moves: { calls_from_cache_total: 2 },
    }),
  ),
  {
    name: 'cannot be read for readiness',
    happens: ({ readiness }) => readiness.databaseUnanswered(),
    lines: [],
    moves: { storage_failures_total: 1 },
  },
]);

testEvents('a limit', [
  ...['answers', 'pbx', 'accounts', 'addresses', 'registrations'].flatMap((limit): EventRow[] => [
    {
      name: `that has too many clients: ${limit}`,
      happens: ({ limits }) => limits.keyForgotten({ limit }),
      lines: [['warn', 'more clients than can be counted', { limit }]],
      moves: { [`limit_keys_forgotten_total{limit="${limit}"}`]: 1 },
    },
    {
      name: `that Redis is not asked to count: ${limit}`,
      happens: ({ limits }) => limits.countUnshared({ limit, error: undefined }),
      lines: [],
      moves: { [`limit_counts_unshared_total{limit="${limit}"}`]: 1 },
    },
  ]),
  {
    name: 'that Redis does not count',
    happens: ({ limits }) => {
      for (const limit of ['pbx', 'answers'])
        limits.countUnshared({ limit, error: new RedisUnavailable('timeout') });
    },
    lines: [
      [
        'error',
        'other instances were not told of a failure',
        { limit: 'pbx', error: 'RedisUnavailable: Redis unavailable: Redis did not answer in time' },
      ],
    ],
    moves: {
      'limit_counts_unshared_total{limit="pbx"}': 1,
      'limit_counts_unshared_total{limit="answers"}': 1,
    },
  },
]);
