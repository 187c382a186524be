import type { Enrolment, Listener } from '../../handover/messages.js';
import { EnrolmentManager } from './enrolment-manager.js';
import { PausedTimers } from './paused-timers.js';

const enrolment = (workload: string, over: Partial<Enrolment> = {}): Enrolment => ({
  workload,
  netns: workload,
  addresses: ['10.0.0.1'],
  failMode: 'closed',
  udp: 'allow',
  probePorts: [],
  group: 0,
  ...over,
});
const pair: Listener[] = [
  { direction: 'outbound', family: 4 },
  { direction: 'inbound', family: 4 },
];

function harness(workers = 1) {
  const timers = new PausedTimers();
  const asked: string[] = [];
  const delivered: string[] = [];
  const closed: number[] = [];
  const known = new Set<string>();
  const unsettled = new Set<string>();
  const manager = new EnrolmentManager({
    workers,
    capture: {
      enrol: (wanted) => void asked.push(`enrol ${wanted.workload}`),
      withdraw: (uid) => void asked.push(`withdraw ${uid}`),
      requestSockets: (uid, family, count) => void asked.push(`sockets ${uid} ${family} ${count}`),
    },
    isKnown: (uid) => known.has(uid),
    deliver: (worker, message) => {
      const descriptors = 'descriptors' in message ? message.descriptors.join() : '';
      const handle = 'handle' in message ? message.handle : 0;
      delivered.push(`${worker}: ${message.type} ${handle} ${descriptors}`.trim());
    },
    mayServe: (uid, isNew) => !unsettled.has(isNew ? `new ${uid}` : uid),
    inodeOf: (descriptor) => descriptor % 100,
    closeDescriptor: (descriptor) => void closed.push(descriptor),
    timers,
  });
  return { manager, timers, asked, delivered, closed, known, unsettled };
}

test('a wanted workload is enrolled once, again when it changes, and its listeners reach a worker', () => {
  const { manager, asked, delivered } = harness();
  manager.setWanted([enrolment('a')], true);
  manager.setWanted([enrolment('a')], true);
  manager.enrolled('a', pair, [11, 12]);
  manager.setWanted([enrolment('a', { udp: 'deny' })], true);
  expect(asked).toEqual(['enrol a', 'enrol a']);
  expect(delivered).toEqual(['0: listeners 1 11,12']);
  expect(manager.served).toBe(1);
});

test('listeners that the worker already holds are closed, new ones are added', () => {
  const { manager, delivered, closed } = harness();
  manager.setWanted([enrolment('a')], true);
  manager.enrolled('a', pair, [11, 12]);
  manager.captureReady({ enrolled: ['a'], held: [] });
  manager.enrolled('a', pair, [111, 113]);
  expect(closed).toEqual([111]);
  expect(delivered).toEqual(['0: listeners 1 11,12', '0: listeners 1 113']);
});

test('workloads spread over workers and stay where they are', () => {
  const { manager, delivered } = harness(2);
  manager.setWanted([enrolment('a'), enrolment('b'), enrolment('c')], true);
  for (const [index, uid] of ['a', 'b', 'c'].entries())
    manager.enrolled(uid, pair, [index * 2, index * 2 + 1]);
  manager.setWanted([enrolment('b'), enrolment('c')], true);
  manager.setWanted([enrolment('b'), enrolment('c'), enrolment('d')], true);
  manager.enrolled('d', pair, [31, 32]);
  expect(delivered).toEqual([
    '0: listeners 1 0,1',
    '1: listeners 2 2,3',
    '0: listeners 3 4,5',
    '0: listeners 4 31,32',
  ]);
});

test('what an earlier proxy enrolled is withdrawn only once the controller’s configuration does not want it', () => {
  const { manager, asked } = harness();
  manager.captureReady({ enrolled: ['a', 'old'], held: [] });
  expect(asked).toEqual([]);
  manager.setWanted([], false);
  expect(asked).toEqual([]);
  manager.setWanted([enrolment('a')], true);
  expect(asked).toEqual(['enrol a', 'withdraw old']);
});

test('a refused enrolment is tried again, later each time, and not after it left', () => {
  const { manager, timers, asked } = harness();
  manager.setWanted([enrolment('a')], true);
  manager.refused('enrol', 'a', 'no');
  timers.advance(500);
  manager.refused('enrol', 'a', 'no');
  timers.advance(500);
  expect(asked).toEqual(['enrol a', 'enrol a']);
  timers.advance(500);
  expect(asked).toHaveLength(3);
  manager.refused('enrol', 'a', 'no');
  manager.setWanted([], true);
  timers.advance(60_000);
  expect(asked.slice(3)).toEqual(['withdraw a']);
});

test('sockets asked for while capture was away are asked for again', () => {
  const { manager, asked, delivered } = harness();
  manager.setWanted([enrolment('a')], true);
  manager.socketsLow(1, 4, 16);
  manager.captureReady({ enrolled: [], held: [] });
  manager.sockets('a', 4, [21, 22]);
  manager.captureReady({ enrolled: [], held: [] });
  expect(asked).toEqual(['enrol a', 'sockets a 4 16', 'enrol a', 'sockets a 4 16', 'enrol a']);
  expect(delivered).toEqual(['0: sockets 1 21,22']);
});

test('descriptors for a workload that is gone are closed', () => {
  const { manager, timers, closed } = harness();
  manager.setWanted([enrolment('a')], true);
  manager.setWanted([], true);
  manager.enrolled('a', pair, [1, 2]);
  timers.advance(10_000);
  manager.sockets('a', 4, [3]);
  expect(closed).toEqual([1, 2, 3]);
});

test('a new pod that capture holds is enrolled at once where it is wanted already, or when it becomes so', () => {
  const { manager, asked } = harness();
  manager.setWanted([enrolment('early', { netns: '' })], true);
  manager.held('early');
  manager.held('late');
  manager.setWanted([enrolment('early', { netns: '' }), enrolment('late', { netns: '' })], true);
  expect(asked).toEqual(['enrol early', 'enrol early', 'enrol late']);
});

test('a held pod is released only where the controller’s configuration knows it and does not want it', () => {
  const { manager, asked, known } = harness();
  manager.captureReady({ enrolled: ['unknown', 'unwanted'], held: ['unknown', 'unwanted'] });
  known.add('unwanted');
  manager.setWanted([], false);
  expect(asked).toEqual([]);
  manager.setWanted([], true);
  expect(asked).toEqual(['withdraw unwanted']);
  known.add('unknown');
  manager.setWanted([], true);
  expect(asked).toEqual(['withdraw unwanted', 'withdraw unknown']);
});

test('listeners wait until it is known whether the workload has an identity', () => {
  const { manager, delivered, closed, unsettled } = harness();
  unsettled.add('a');
  manager.setWanted([enrolment('a'), enrolment('b')], true);
  manager.enrolled('a', pair, [1, 2]);
  manager.enrolled('b', pair, [3, 4]);
  expect(delivered).toEqual(['0: listeners 2 3,4']);
  expect([manager.served, manager.settled]).toEqual([1, false]);
  manager.captureReady({ enrolled: [], held: [] });
  manager.enrolled('a', pair, [101, 102]);
  expect(closed).toEqual([101, 102]);
  manager.release('a');
  expect(delivered).toHaveLength(1);
  unsettled.delete('a');
  manager.release('a');
  manager.release('a');
  expect(delivered.slice(1)).toEqual(['0: listeners 1 1,2']);
  expect([manager.served, manager.settled]).toEqual([2, true]);
});

test('only a pod that was held from before its first process waits for what new pods wait for', () => {
  const { manager, delivered, unsettled } = harness();
  for (const uid of ['early', 'late', 'old']) unsettled.add(`new ${uid}`);
  manager.held('early');
  manager.setWanted([enrolment('early'), enrolment('late'), enrolment('old')], true);
  manager.held('late');
  manager.enrolled('early', pair, [1, 2]);
  manager.enrolled('late', pair, [3, 4]);
  manager.enrolled('old', pair, [5, 6]);
  expect(delivered).toEqual(['0: listeners 3 5,6']);
});

test('listeners that waited are closed where their workload leaves', () => {
  const { manager, timers, delivered, closed, unsettled } = harness();
  unsettled.add('a');
  manager.setWanted([enrolment('a')], true);
  manager.enrolled('a', pair, [1, 2]);
  manager.setWanted([], true);
  manager.release('a');
  expect(closed).toEqual([1, 2]);
  timers.advance(2_000);
  expect(delivered).toEqual(['0: retire 1']);
});

test('a worker keeps a workload`s listeners until what was on its way to them is accepted', () => {
  const { manager, timers, asked, delivered } = harness();
  manager.setWanted([enrolment('a')], true);
  manager.enrolled('a', pair, [1, 2]);
  manager.setWanted([], true);
  expect(asked.at(-1)).toBe('withdraw a');
  timers.advance(500);
  expect(delivered.slice(1)).toEqual([]);
  manager.withdrawn('a');
  timers.advance(99);
  expect(delivered.slice(1)).toEqual([]);
  timers.advance(1);
  expect(delivered.slice(1)).toEqual(['0: retire 1']);
  manager.withdrawn('a');
  timers.advance(3_999);
  expect(delivered.slice(1)).toEqual(['0: retire 1']);
  timers.advance(1);
  expect(delivered.slice(1)).toEqual(['0: retire 1', '0: withdraw 1']);
  timers.advance(10_000);
  expect(delivered.slice(1)).toEqual(['0: retire 1', '0: withdraw 1']);
});

test('sockets for what a workload still has to connect reach its worker though it leaves', () => {
  const { manager, timers, asked, delivered, closed } = harness();
  manager.setWanted([enrolment('a')], true);
  manager.enrolled('a', pair, [1, 2]);
  manager.socketsLow(1, 4, 16);
  manager.socketsLow(1, 6, 16);
  manager.sockets('a', 4, [3]);
  manager.socketsLow(1, 4, 9);
  manager.setWanted([], true);
  // Of the family that is in use, and while capture still can.
  expect(asked.slice(-2)).toEqual(['sockets a 4 32', 'withdraw a']);
  manager.sockets('a', 4, [4]);
  expect(delivered.at(-1)).toBe('0: sockets 1 4');
  timers.advance(6_000);
  expect(delivered.at(-1)).toBe('0: withdraw 1');
  manager.sockets('a', 4, [5]);
  expect(closed).toEqual([5]);
});

test('a workload that leaves twice in a row is ended each time', () => {
  const { manager, timers, delivered } = harness();
  for (const descriptors of [
    [1, 2],
    [3, 4],
  ]) {
    manager.setWanted([enrolment('a')], true);
    manager.enrolled('a', pair, descriptors);
    manager.setWanted([], true);
  }
  manager.withdrawn('a');
  timers.advance(5_000);
  expect(delivered).toEqual([
    '0: listeners 1 1,2',
    '0: listeners 2 3,4',
    '0: withdraw 1',
    '0: retire 2',
    '0: withdraw 2',
  ]);
});
