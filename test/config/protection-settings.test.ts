import assert from 'node:assert/strict';
import { it } from 'node:test';
import { read } from './read.ts';

const SECRET = '0123456789abcdef0123456789abcdef';
const OTHER = 'fedcba9876543210fedcba9876543210';

it('an answer has nothing to prove until a secret is set; then the address carries the proof', () => {
  assert.equal(read({}).config?.answerProof, undefined);
  const rows = [
    [{}, { otherSecret: undefined, carrier: 'address', demanded: true }],
    [{ ANSWER_SECRET_OTHER: OTHER }, { otherSecret: OTHER, carrier: 'address', demanded: true }],
    [{ ANSWER_PROOF: 'key' }, { otherSecret: undefined, carrier: 'key', demanded: true }],
    [{ ANSWER_PROOF: 'optional' }, { otherSecret: undefined, carrier: 'address', demanded: false }],
    [{ ANSWER_PROOF: 'optional-key' }, { otherSecret: undefined, carrier: 'key', demanded: false }],
  ] as const;
  for (const [more, expected] of rows) {
    const report = read({ ANSWER_SECRET: SECRET, ...more });
    assert.deepEqual([report.problems, report.warnings], [[], []]);
    assert.deepEqual(report.config?.answerProof, { secret: SECRET, ...expected });
  }
});

it('the secrets come from files too, and are never shown', () => {
  const files = { '/run/one': `${SECRET}\n`, '/run/two': `${OTHER}\n` };
  const report = read({ ANSWER_SECRET_FILE: '/run/one', ANSWER_SECRET_OTHER_FILE: '/run/two' }, files);
  assert.deepEqual(
    [report.config?.answerProof?.secret, report.config?.answerProof?.otherSecret],
    [SECRET, OTHER],
  );
  for (const name of ['ANSWER_SECRET', 'ANSWER_SECRET_OTHER'])
    assert.equal(report.found.find((setting) => setting.name === name)?.secret, true, name);
});

it('what could be guessed, or means nothing, is refused, and no secret is quoted', () => {
  const short = 'short-secret-that-is-31-letters';
  const rows: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ ANSWER_SECRET: short }, /^ANSWER_SECRET must be 32 to 512 visible ASCII characters/],
    [{ ANSWER_SECRET: 'x'.repeat(32) }, /^ANSWER_SECRET must be 32 to 512 .* as `openssl rand/],
    [{ ANSWER_SECRET: SECRET, ANSWER_SECRET_OTHER: '0101'.repeat(10) }, /^ANSWER_SECRET_OTHER must be/],
    [{ ANSWER_SECRET: SECRET, ANSWER_SECRET_OTHER: 'a b' }, /^ANSWER_SECRET_OTHER must be 32 to 512/],
    [
      { ANSWER_SECRET: SECRET, ANSWER_PROOF: 'off' },
      /^ANSWER_PROOF must be one of: address, key, optional, optional-key$/,
    ],
    [
      { ANSWER_SECRET_OTHER: OTHER },
      /^ANSWER_SECRET must be set where ANSWER_SECRET_OTHER or ANSWER_PROOF is$/,
    ],
    [{ ANSWER_PROOF: 'key' }, /^ANSWER_SECRET must be set where ANSWER_SECRET_OTHER or ANSWER_PROOF is$/],
    [{ LIMIT_UNKNOWN_ANSWERS: '-1' }, /^LIMIT_UNKNOWN_ANSWERS must be a whole number from 0 to 100000$/],
    [{ LIMIT_FAILED_AUTH: 'off' }, /^LIMIT_FAILED_AUTH must be a whole number/],
    [
      { EVENT_LOOP_LIMIT: '10001' },
      /^EVENT_LOOP_LIMIT must be a whole number of milliseconds from 0 to 10000$/,
    ],
  ];
  for (const [settings, problem] of rows) {
    const { problems } = read(settings);
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.match(problems[0] ?? '', problem);
    assert.ok(!problems[0]?.includes(short));
  }
});

it('a misspelt name of these settings is told', () => {
  for (const [name, meant] of [
    ['ANSWER_SECRETS', 'ANSWER_SECRET'],
    ['LIMIT_UNKNOWN_ANSWER', 'LIMIT_UNKNOWN_ANSWERS'],
    ['EVENT_LOOP_LIMITS', 'EVENT_LOOP_LIMIT'],
  ] as const)
    assert.deepEqual(read({ [name]: '1' }).warnings, [
      `${name} is not a setting of this service and has no effect; did you mean ${meant}?`,
    ]);
});
