import {
  backoffMs,
  compileRetry,
  connectRetries,
  countRequest,
  minRetriesPerSecond,
  newRetryBudget,
  planRetry,
} from './retry-plan.js';

const asked = compileRetry({ codes: [503], attempts: 2, backoffMs: 100 });
const silent = compileRetry(undefined);
const notSent = { kind: 'not-sent' } as const;
const died = { kind: 'died' } as const;
const unanswered = (idempotent: boolean) => ({ kind: 'unanswered', idempotent }) as const;
const status = (code: number) => ({ kind: 'status', status: code }) as const;

test.each([
  ['a failed connect, though the rule says nothing', silent, notSent, 1, 'retry'],
  ['the last of them', silent, notSent, connectRetries, 'retry'],
  ['one more', silent, notSent, connectRetries + 1, 'attempts-spent'],
  ['a status, though the rule says nothing', silent, status(503), 1, 'not-retryable'],
  ['a death in the middle, though the rule says nothing', silent, died, 1, 'not-retryable'],
  ['GET left unanswered by a kept connection', silent, unanswered(true), 1, 'retry'],
  ['POST left unanswered by a kept connection', silent, unanswered(false), 1, 'not-retryable'],
  ['POST left unanswered where the rule asks', asked, unanswered(false), 1, 'retry'],
  ['a status that the rule names', asked, status(503), 1, 'retry'],
  ['a status that it does not name', asked, status(500), 1, 'not-retryable'],
  ['a death in the middle where the rule asks', asked, died, 1, 'retry'],
  ['the last attempt', asked, status(503), 3, 'attempts-spent'],
  [
    'no attempts allowed',
    compileRetry({ codes: [], attempts: 0, backoffMs: 0 }),
    notSent,
    1,
    'attempts-spent',
  ],
] as const)('%s', (_, policy, failure, attempts, decision) => {
  expect(planRetry(policy, failure, attempts, newRetryBudget(), 0)).toBe(decision);
});

describe('the budget', () => {
  const spend = (budget: ReturnType<typeof newRetryBudget>, nowMs: number) => {
    let spent = 0;
    while (planRetry(silent, notSent, 1, budget, nowMs) === 'retry') spent += 1;
    return spent;
  };
  const floor = 10 * minRetriesPerSecond;

  test('of a quiet service is its floor', () => {
    expect(spend(newRetryBudget(), 1_000_000)).toBe(floor);
  });
  test('grows by a fifth of the requests', () => {
    const budget = newRetryBudget();
    for (let index = 0; index < 1000; index += 1) countRequest(budget, 1000 + index);
    expect(spend(budget, 2000)).toBe(floor + 200);
  });
  test('forgets what is older than ten seconds', () => {
    const budget = newRetryBudget();
    for (let index = 0; index < 1000; index += 1) countRequest(budget, 1000);
    expect(spend(budget, 5000)).toBe(floor + 200);
    expect(spend(budget, 14_999)).toBe(0);
    expect(spend(budget, 15_000)).toBe(floor);
  });
  test('is empty again after a long silence, not negative', () => {
    const budget = newRetryBudget();
    spend(budget, 1000);
    expect(spend(budget, 10_000_000)).toBe(floor);
  });
  test('a clock that steps back opens nothing', () => {
    const budget = newRetryBudget();
    spend(budget, 50_000);
    expect(spend(budget, 1000)).toBe(0);
  });
  test('is not touched by what is not tried again', () => {
    const budget = newRetryBudget();
    for (let index = 0; index < 500; index += 1) planRetry(silent, status(503), 1, budget, 0);
    expect(spend(budget, 0)).toBe(floor);
  });
});

test.each([
  [1, 0, 100],
  [2, 0, 200],
  [3, 0, 400],
  [1, 0.999999, 150],
  [30, 0, 10_000],
])('after %d attempts, with the random number %d, the wait is %d ms', (attempts, random, wait) => {
  expect(backoffMs(asked, attempts, random)).toBe(wait);
});

test('a backoff longer than the usual bound stays as the rule says', () => {
  expect(backoffMs(compileRetry({ codes: [], attempts: 5, backoffMs: 20_000 }), 3, 0)).toBe(20_000);
});

test('a connect retry does not wait', () => {
  expect(backoffMs(silent, 1, 0.5)).toBe(0);
});
