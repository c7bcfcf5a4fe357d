import { type EventRow, type Line, testEvents } from './recorded.ts';

const BUG = new TypeError('a bug');

const DOWN: Line = ['error', 'Redis cannot be used: Redis did not answer in time', { reason: 'timeout' }];
const DEAF: Line = [
  'warn',
  'messages of other instances are not heard: Redis did not answer in time',
  { reason: 'timeout' },
];
function TIMEOUTS(count: number) {
  return { 'redis_faults_total{reason="timeout"}': count };
}

testEvents('Redis', [
  {
    name: 'is healthy once it works and is heard',
    happens: ({ bus }) => {
      bus.redisUp();
      bus.listening();
    },
    lines: [
      ['info', 'Redis works', {}],
      ['info', 'messages of other instances are heard', {}],
    ],
    moves: { redis_health: 1 },
  },
  {
    name: 'is not healthy while it only works',
    happens: ({ bus }) => bus.redisUp(),
    lines: [['info', 'Redis works', {}]],
    moves: {},
  },
  {
    name: 'is not healthy while it is only heard',
    happens: ({ bus }) => bus.listening(),
    lines: [['info', 'messages of other instances are heard', {}]],
    moves: {},
  },
  {
    name: 'goes down and comes back',
    happens: ({ bus }) => {
      bus.listening();
      bus.redisUp();
      for (const _ of [1, 2]) bus.redisDown({ fault: 'timeout' });
      bus.redisUp();
    },
    lines: [
      ['info', 'messages of other instances are heard', {}],
      ['info', 'Redis works', {}],
      DOWN,
      ['info', 'Redis works again', { times: 2, lastedSeconds: 0 }],
    ],
    moves: { redis_health: 1, ...TIMEOUTS(2) },
  },
  {
    name: 'is down and stays so',
    happens: ({ bus }) => {
      bus.redisUp();
      bus.listening();
      bus.redisDown({ fault: 'timeout' });
      bus.listening();
    },
    lines: [['info', 'Redis works', {}], ['info', 'messages of other instances are heard', {}], DOWN],
    moves: TIMEOUTS(1),
  },
  {
    name: 'is not heard, and heard again',
    happens: ({ bus }) => {
      bus.redisUp();
      bus.listening();
      bus.notListening({ fault: 'timeout' });
      bus.listening();
    },
    lines: [
      ['info', 'Redis works', {}],
      ['info', 'messages of other instances are heard', {}],
      DEAF,
      ['info', 'messages of other instances are heard again', { times: 1, lastedSeconds: 0 }],
    ],
    moves: { redis_health: 1, ...TIMEOUTS(1) },
  },
  {
    name: 'is not heard and stays so',
    happens: ({ bus }) => {
      bus.redisUp();
      bus.listening();
      bus.notListening({ fault: 'timeout' });
      bus.redisUp();
    },
    lines: [['info', 'Redis works', {}], ['info', 'messages of other instances are heard', {}], DEAF],
    moves: TIMEOUTS(1),
  },
  {
    name: 'says why, in its own words',
    happens: ({ bus }) => bus.redisDown({ fault: 'read-only', said: 'READONLY You cannot write.' }),
    lines: [
      [
        'error',
        'Redis cannot be used: this Redis server is a replica, or cannot write for now; it says: READONLY You cannot write',
        { reason: 'read-only' },
      ],
    ],
    moves: { 'redis_faults_total{reason="read-only"}': 1 },
  },
  {
    name: 'has masters that fail and work by themselves',
    happens: ({ bus }) => {
      bus.shardDown({ server: 'a:1', fault: 'timeout' });
      bus.shardDown({ server: 'b:1', fault: 'timeout' });
      bus.shardUp({ server: 'b:1' });
      bus.shardUp({ server: 'c:1' });
    },
    lines: [
      ...['a:1', 'b:1'].map(
        (server): Line => [
          'error',
          'a master of the Redis Cluster cannot be used: Redis did not answer in time',
          { server, reason: 'timeout' },
        ],
      ),
      ['info', 'a master of the Redis Cluster works again', { server: 'b:1', times: 1, lastedSeconds: 0 }],
    ],
    moves: TIMEOUTS(2),
  },
  {
    name: 'is asked too much at once',
    happens: ({ bus }) => bus.redisOverloaded(),
    lines: [],
    moves: { 'redis_faults_total{reason="overloaded"}': 1 },
  },
  {
    name: 'has a script that fails: a condition for each',
    happens: ({ bus }) => {
      for (const during of ['claim', 'claim', 'end']) bus.busFailed({ during, error: BUG });
    },
    lines: ['claim', 'end'].map((during) => [
      'error',
      'a script in Redis failed by a fault of this service',
      { during },
      BUG,
    ]),
    moves: { 'redis_faults_total{reason="script"}': 3 },
  },
  {
    name: 'has a call that this instance takes over',
    happens: ({ bus }) => bus.callTakenOver({ account: 123_456_789, uniqueKey: 'key' }),
    lines: [['warn', 'call taken over from another instance', { call: 'key', account: 123_456_789 }]],
    moves: { calls_taken_over_total: 1 },
  },
  ...(['look', 'deadline'] as const).map(
    (at): EventRow => ({
      name: `has an answer whose message was lost: at the ${at}`,
      happens: ({ bus }) => bus.answerFound({ at }),
      lines: [['info', 'the end of a call was found in Redis: its message did not arrive', { at }]],
      moves: { [`answers_found_total{at="${at}"}`]: 1 },
    }),
  ),
]);
