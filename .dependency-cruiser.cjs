// The rooms of ARCHITECTURE.md, checked: a room may only import what its row allows, and lib.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const ROW = /^\| `([a-z0-9]+)(?:\/|\.ts)` \| .* \| ?([a-z0-9, *]*) ?\|$/gm;
const rooms = [...readFileSync(join(__dirname, 'ARCHITECTURE.md'), 'utf8').matchAll(ROW)].map(
  ([, name, imports]) => ({
    name,
    imports: imports
      .split(/, /)
      .map((each) => each.trim())
      .filter(Boolean),
  }),
);
const pathOf = (...names) => `^src/(${names.join('|')})(/|\\.ts$)`;

const rulesOf = ({ name, imports }) => {
  const isType = (each) => each.startsWith('*');
  const typesOnly = imports.filter(isType).map((each) => each.replaceAll('*', ''));
  const allowed = [name, 'lib', ...typesOnly, ...imports.filter((each) => !isType(each))];
  const rules = [
    {
      name: `${name}-imports`,
      severity: 'error',
      comment: `src/${name} may only import: ${allowed.join(', ')}`,
      from: { path: pathOf(name) },
      to: { path: '^src/', pathNot: pathOf(...allowed) },
    },
  ];
  if (typesOnly.length > 0) {
    rules.push({
      name: `${name}-imports-types`,
      severity: 'error',
      comment: `src/${name} may only import types of: ${typesOnly.join(', ')}`,
      from: { path: pathOf(name) },
      to: { path: pathOf(...typesOnly), dependencyTypesNot: ['type-only'] },
    });
  }
  return rules;
};

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
    {
      name: 'in-a-room',
      severity: 'error',
      comment: 'each folder of src/ has a row in ARCHITECTURE.md',
      from: { path: '^src/', pathNot: pathOf(...rooms.map(({ name }) => name)) },
      to: {},
    },
    ...rooms.flatMap(rulesOf),
    {
      name: 'push-services-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/push/services/([^/]+)/' },
      to: { path: '^src/push/services/([^/]+)/', pathNot: '^src/push/services/$1/' },
    },
    {
      name: 'sandbox-only-for-the-command-line',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(sandbox/|cli/(demo|sandbox)/)' },
      to: { path: '^src/sandbox/' },
    },
    {
      name: 'product-does-not-know-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts|harness)/' },
    },
    {
      name: 'bench-does-not-know-tests',
      severity: 'error',
      comment: 'what both need is in harness/',
      from: { path: '^(bench|harness)/' },
      to: { path: '^test/' },
    },
    {
      name: 'harness-does-not-know-bench',
      severity: 'error',
      from: { path: '^harness/' },
      to: { path: '^(bench|scripts)/' },
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
