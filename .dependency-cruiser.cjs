// The arrows of ARCHITECTURE.md, checked: a folder may only import what its rule allows.
const folder = (...names) => `^src/(${names.join('|')})(/|\\.ts$)`;

/** `from` may import nothing of src/ except itself and `allowed`. */
const only = (from, ...allowed) => ({
  name: `${from}-imports`,
  severity: 'error',
  comment: `src/${from} may only import: ${allowed.join(', ') || 'nothing of ours'}`,
  from: { path: folder(from) },
  to: { path: '^src/', pathNot: folder(from, ...allowed) },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependencies-in-product',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/node' },
    },
    only('lib'),
    only('devices', 'lib', 'storage'),
    only('storage', 'lib'),
    only('redis', 'lib'),
    only('push', 'devices', 'lib'),
    only('calls', 'devices', 'push', 'redis', 'lib'),
    only('http', 'calls', 'devices', 'redis', 'lib'),
    only('telemetry', 'calls', 'devices', 'push', 'redis', 'http', 'lib'),
    only('config', 'lib'),
    only('app', 'config', 'http', 'calls', 'devices', 'push', 'redis', 'storage', 'telemetry', 'lib'),
    only('sandbox', 'lib'),
    only(
      'cli',
      'app',
      'config',
      'http',
      'calls',
      'devices',
      'push',
      'redis',
      'storage',
      'telemetry',
      'sandbox',
      'lib',
    ),
    {
      name: 'calls-know-push-by-types',
      severity: 'error',
      comment: 'the story and its parts are given a sender; they do not construct one',
      from: { path: folder('calls') },
      to: { path: '^src/(push|devices)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'calls-and-http-know-redis-by-types',
      severity: 'error',
      comment: 'only the composition root opens a link; RedisUnavailable is a class that callers tell apart',
      from: { path: folder('calls', 'http') },
      to: {
        path: '^src/redis/',
        pathNot: '^src/redis/redis-unavailable',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'push-knows-devices-by-types',
      severity: 'error',
      from: { path: folder('push') },
      to: { path: '^src/devices/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'providers-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/push/(apns|fcm)/' },
      to: { path: '^src/push/(apns|fcm)/', pathNot: '^src/push/$1/' },
    },
    {
      name: 'sandbox-only-for-the-command-line',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(sandbox/|cli/(demo|sandbox)[^/]*\\.ts$)' },
      to: { path: '^src/sandbox/' },
    },
    {
      name: 'product-does-not-know-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};
