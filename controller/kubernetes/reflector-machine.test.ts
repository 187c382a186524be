import { type ApiObject, readApiObject } from './api-object.js';
import { type ReflectorInput, ReflectorMachine, type ReflectorOutput } from './reflector-machine.js';

/** An object; `uid` and `version` as given. */
function object(name: string, version: number, uid = `uid-${name}`): ApiObject {
  const metadata = { namespace: 'shop', name, uid, resourceVersion: `${version}` };
  const read = readApiObject({ metadata }, 'v1', 'Pod');
  if (read === null) throw new Error('unreadable');
  return read;
}

let machine: ReflectorMachine;

beforeEach(() => {
  machine = new ReflectorMachine();
});

function receive(input: ReflectorInput, random = 0.5): ReflectorOutput {
  return machine.receive(input, random);
}

function page(names: readonly ApiObject[], version: number, token = ''): ReflectorInput {
  return { type: 'page', objects: names, resourceVersion: `${version}`, token };
}

/** Deltas in short: `+name`, `!name` where it replaces another, `-name`. */
function told({ deltas }: ReflectorOutput): string[] {
  return deltas.map((delta) => {
    const name = delta.key.slice('shop/'.length);
    return delta.type === 'gone' ? `-${name}` : `${delta.replaced ? '!' : '+'}${name}`;
  });
}

/** Lists a and b at version 10, and hears the first bookmark of the watch. */
function watching(): void {
  receive(page([object('a', 1), object('b', 2)], 10));
  receive({ type: 'bookmark', resourceVersion: '11' });
}

test('pages are one list: told as a whole at its end, then watched from its version', () => {
  expect(machine.state).toEqual({ phase: 'asking', step: { type: 'list', token: '', whole: false } });
  const first = receive(page([object('a', 1)], 10, 'next'));
  expect(told(first)).toEqual([]);
  expect(first.synced).toBe(false);
  expect(machine.state).toEqual({ phase: 'asking', step: { type: 'list', token: 'next', whole: false } });
  const last = receive(page([object('b', 2)], 10));
  expect(told(last)).toEqual(['+a', '+b']);
  expect(last.synced).toBe(true);
  expect(machine.state).toEqual({ phase: 'asking', step: { type: 'watch', resourceVersion: '10' } });
});

test('events and bookmarks move the version that a watch goes on from', () => {
  watching();
  expect(told(receive({ type: 'changed', object: object('a', 12) }))).toEqual(['+a']);
  receive({ type: 'bookmark', resourceVersion: '20' });
  receive({ type: 'ended' });
  expect(machine.state).toMatchObject({ phase: 'asking', step: { type: 'watch', resourceVersion: '20' } });
});

test('what is known already is not told again', () => {
  watching();
  expect(told(receive({ type: 'changed', object: object('a', 1) }))).toEqual([]);
});

test('a version that the server has forgotten leads to a new list, of which only the differences are told', () => {
  watching();
  receive({ type: 'refused', status: 410, retryAfterMs: 0 });
  expect(machine.state).toMatchObject({
    phase: 'waiting',
    step: { type: 'list', token: '', whole: false },
  });
  receive({ type: 'waited' });
  const output = receive(page([object('b', 2), object('c', 30)], 31));
  expect(told(output)).toEqual(['+c', '-a']);
  expect(output.synced).toBe(true);
});

test('an object deleted and made anew under one name is another one, by list and by event', () => {
  watching();
  expect(told(receive({ type: 'changed', object: object('a', 12, 'other') }))).toEqual(['!a']);
  receive({ type: 'refused', status: 410, retryAfterMs: 0 });
  expect(told(receive(page([object('a', 20, 'third'), object('b', 2)], 21)))).toEqual(['!a']);
});

test('the deletion of an earlier object does not remove the one that has its name now', () => {
  watching();
  receive({ type: 'changed', object: object('a', 12, 'other') });
  expect(told(receive({ type: 'deleted', object: object('a', 13) }))).toEqual([]);
  expect(told(receive({ type: 'deleted', object: object('a', 14, 'other') }))).toEqual(['-a']);
});

test('pages that expire on the way are read anew without pages; what went meanwhile is not kept', () => {
  receive(page([object('a', 1)], 10, 'next'));
  receive({ type: 'refused', status: 410, retryAfterMs: 0 });
  expect(machine.state).toMatchObject({ step: { type: 'list', token: '', whole: true } });
  receive({ type: 'waited' });
  const output = receive(page([object('b', 2)], 12));
  expect(told(output)).toEqual(['+a', '+b', '-a']);
  expect(machine.size).toBe(1);
});

test('a page that does not come is asked for again; nothing of the list is lost', () => {
  receive(page([object('a', 1)], 10, 'next'));
  receive({ type: 'unreachable' });
  expect(machine.state).toMatchObject({ phase: 'waiting', step: { type: 'list', token: 'next' } });
  receive({ type: 'waited' });
  expect(told(receive(page([object('b', 2)], 10)))).toEqual(['+a', '+b']);
});

test('while nobody answers the watch goes on from where it was, however long, ever more rarely', () => {
  watching();
  const limits = Array.from({ length: 12 }, () => {
    receive({ type: 'unreachable' }, 0.999_999);
    const { state } = machine;
    receive({ type: 'waited' });
    return state.phase === 'waiting' ? state.delayMs : -1;
  });
  expect(machine.state).toEqual({ phase: 'asking', step: { type: 'watch', resourceVersion: '11' } });
  expect(limits.slice(0, 4)).toEqual([249, 499, 999, 1999]);
  expect(limits.at(-1)).toBe(4_999);
});

test('delays have full jitter, and none is zero', () => {
  watching();
  receive({ type: 'unreachable' }, 0);
  expect(machine.state).toMatchObject({ delayMs: 1 });
});

test('the first word of a watch makes the next failure the first one again', () => {
  watching();
  for (let time = 0; time < 5; time += 1) receive({ type: 'unreachable' });
  receive({ type: 'bookmark', resourceVersion: '12' });
  receive({ type: 'unreachable' }, 0.999);
  expect(machine.state).toMatchObject({ delayMs: 249 });
});

test('a watch that ends without a word is not begun again at once', () => {
  receive(page([], 10));
  receive({ type: 'ended' });
  expect(machine.state).toMatchObject({ phase: 'waiting', step: { type: 'watch', resourceVersion: '10' } });
});

test('an event that cannot be read is passed by a new list when it comes again and again', () => {
  watching();
  for (const step of ['watch', 'watch', 'list'] as const) {
    receive({ type: 'broken' });
    expect(machine.state).toMatchObject({ phase: 'waiting', step: { type: step } });
    receive({ type: 'waited' });
  }
});

test('a server in trouble is asked again for the same, no sooner than it says', () => {
  watching();
  receive({ type: 'refused', status: 503, retryAfterMs: 7000 });
  expect(machine.state).toEqual({
    phase: 'waiting',
    delayMs: 7000,
    step: { type: 'watch', resourceVersion: '11' },
  });
});

test('a version that the server never reaches (a restored backup) is given up for a new list', () => {
  watching();
  for (let time = 0; time < 7; time += 1) receive({ type: 'refused', status: 504, retryAfterMs: 0 });
  expect(machine.state).toMatchObject({ step: { type: 'list', token: '' } });
});

test('a kind that is not installed is complete with nothing, and is looked for again within seconds', () => {
  const refusal: ReflectorInput = { type: 'refused', status: 404, retryAfterMs: 0 };
  for (let time = 0; time < 4; time += 1) expect(receive(refusal).synced).toBe(false);
  expect(receive(refusal)).toEqual({ deltas: [], synced: true });
  for (let time = 0; time < 20; time += 1)
    receive({ type: 'refused', status: 404, retryAfterMs: 0 }, 0.999_999);
  expect(machine.state).toMatchObject({ phase: 'waiting', delayMs: 4999, step: { type: 'list' } });
});

test('objects of a kind are gone only when the server says several times that the kind is not there', () => {
  watching();
  const refusal: ReflectorInput = { type: 'refused', status: 404, retryAfterMs: 0 };
  for (let time = 0; time < 4; time += 1) expect(told(receive(refusal))).toEqual([]);
  expect(told(receive(refusal))).toEqual(['-a', '-b']);
});

test('one other answer between makes the count of absences begin anew', () => {
  watching();
  const refusal: ReflectorInput = { type: 'refused', status: 404, retryAfterMs: 0 };
  for (let time = 0; time < 4; time += 1) receive(refusal);
  receive({ type: 'refused', status: 503, retryAfterMs: 0 });
  expect(told(receive(refusal))).toEqual([]);
});

test('credentials that are refused keep everything, and the list is tried again', () => {
  watching();
  for (const status of [401, 403]) {
    expect(told(receive({ type: 'refused', status, retryAfterMs: 0 }))).toEqual([]);
    expect(machine.state).toMatchObject({ phase: 'waiting', step: { type: 'list', token: '' } });
  }
  expect(machine.size).toBe(2);
});
