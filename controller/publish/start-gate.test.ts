import { jest } from '@jest/globals';
import { maxStarting, patienceMs, StartGate } from './start-gate.js';

test('so many start at once, and the others in turn as those are done, gone or slow', () => {
  jest.useFakeTimers();
  try {
    const gate = new StartGate<object>();
    const agents = Array.from({ length: maxStarting + 3 }, () => ({}));
    const woken: number[] = [];
    const entered = agents.map((agent, at) => gate.enter(agent, () => woken.push(at)));
    expect(entered.filter(Boolean)).toHaveLength(maxStarting);
    // Who is inside, or has been, is not held up.
    const [first, second] = agents as [object, object];
    expect(gate.enter(first, () => {})).toBe(true);
    gate.leave(first);
    expect(gate.enter(first, () => {})).toBe(true);
    expect(woken).toEqual([maxStarting]);
    expect(gate.enter(agents[maxStarting] as object, () => {})).toBe(true);
    // One that goes while it waits takes no place.
    gate.leave(agents[maxStarting + 1] as object);
    gate.leave(second);
    expect(woken).toEqual([maxStarting, maxStarting + 2]);
    const late = {};
    for (let at = 0; at < maxStarting; at += 1) gate.enter({}, () => {});
    expect(gate.enter(late, () => woken.push(-1))).toBe(false);
    jest.advanceTimersByTime(patienceMs + 1);
    jest.advanceTimersByTime(patienceMs + 1);
    expect(woken).toContain(-1);
  } finally {
    jest.useRealTimers();
  }
});
