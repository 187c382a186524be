import { jest } from '@jest/globals';
import { maxStarting, patienceMs, StartGate } from './start-gate.js';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate'] }));

afterEach(() => jest.useRealTimers());

/** Turns of the event loop, as many as there may be agents. */
async function passTurns(): Promise<void> {
  for (let turn = 0; turn < 2 * maxStarting; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('so many start at once, and the others in turn as those are done, gone or slow', async () => {
  const gate = new StartGate<object>();
  const agents = Array.from({ length: maxStarting + 4 }, () => ({}));
  const agent = (at: number) => agents[at] as object;
  const woken: number[] = [];
  for (const [at, one] of agents.entries()) expect(gate.enter(one, () => woken.push(at))).toBe(false);
  await passTurns();
  expect(woken).toEqual(Array.from({ length: maxStarting }, (_, at) => at));
  // Who is inside, or has been, is not held up.
  expect(gate.enter(agent(0), () => {})).toBe(true);
  gate.leave(agent(0));
  expect(gate.enter(agent(0), () => {})).toBe(true);
  await passTurns();
  expect(woken.slice(maxStarting)).toEqual([maxStarting]);
  // One that goes while it waits takes no place.
  gate.leave(agent(maxStarting + 1));
  gate.leave(agent(1));
  await passTurns();
  expect(woken.slice(maxStarting)).toEqual([maxStarting, maxStarting + 2]);
  jest.advanceTimersByTime(patienceMs);
  await passTurns();
  expect(woken.slice(maxStarting)).toEqual([maxStarting, maxStarting + 2, maxStarting + 3]);
  expect(gate.enter(agent(2), () => {})).toBe(true);
});

test('one starts in each turn of the event loop: others are heard in between', async () => {
  const gate = new StartGate<object>();
  const heard: string[] = [];
  const turn = (name: string) =>
    new Promise<void>((resolve) => setImmediate(() => resolve(void heard.push(name))));
  for (const name of ['a', 'b']) gate.enter({}, () => void heard.push(name));
  await turn('between');
  await turn('after');
  expect(heard).toEqual(['a', 'between', 'b', 'after']);
});
