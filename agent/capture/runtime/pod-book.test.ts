import type { Enrolment } from '../../handover/messages.js';
import { EnrolledNamespaces } from './enrolled-namespaces.js';
import { AwaitedPod, PodBook } from './pod-book.js';
import type { Sandbox } from './sandbox.js';

const sandbox = (changes: Partial<Sandbox> = {}): Sandbox => ({
  id: 'box-1',
  uid: 'uid-1',
  namespace: 'shop',
  name: 'cart',
  labels: {},
  netns: 'cni-1',
  addresses: ['10.0.0.1'],
  ...changes,
});
const wanted: Enrolment = {
  workload: 'uid-1',
  netns: '',
  addresses: [],
  failMode: 'open',
  udp: 'deny',
  probePorts: [80],
  group: 3,
};

interface Given {
  readonly orphans?: string[];
  readonly broken?: boolean;
  /** What the runtime keeps of networks. */
  readonly kept?: readonly Sandbox[];
}

function setUp({ orphans = [], broken = false, kept = [] }: Given = {}) {
  const events: string[] = [];
  const enrolments: Enrolment[] = [];
  const namespaces = new EnrolledNamespaces(undefined, () => {});
  namespaces.set(['shop']);
  const book = new PodBook({
    register: {
      orphans,
      get enrolled() {
        return enrolments.map(({ workload }) => workload);
      },
      enrol: (enrolment) => {
        if (broken) throw new Error('cannot attach');
        enrolments.push(enrolment);
        return [];
      },
      withdraw: (workload) => events.push(`withdrawn ${workload}`) > 0,
    },
    namespaces,
    findSandbox: (uid) => kept.find((sandbox) => sandbox.uid === uid),
    onHeld: (workload) => void events.push(`held ${workload}`),
    onStopped: (workload) => void events.push(`stopped ${workload}`),
    log: () => {},
  });
  return { book, events, enrolments };
}

test('a new pod of an enrolled namespace is captured closed, with its address, before it runs', () => {
  const { book, events, enrolments } = setUp();
  book.events.onRun(sandbox());
  expect(enrolments).toMatchObject([
    { workload: 'uid-1', netns: 'cni-1', addresses: ['10.0.0.1'], failMode: 'closed', group: 0 },
  ]);
  expect([events, book.held]).toEqual([['held uid-1'], ['uid-1']]);
});

test.each([
  ['its own label takes it in', { namespace: 'other', labels: { 'weft.dev/mesh': 'enabled' } }, 1],
  ['its own label takes it out', { labels: { 'weft.dev/mesh': 'disabled' } }, 0],
  ['its namespace is not enrolled', { namespace: 'other' }, 0],
  ['it shares the network of its node', { netns: null }, 0],
])('a pod is held by its label, else by its namespace: %s', (_what, changes, held) => {
  const { book } = setUp();
  book.events.onRun(sandbox(changes));
  expect(book.held).toHaveLength(held);
});

test('where a pod cannot be held the runtime is told', () => {
  const { book } = setUp({ broken: true });
  expect(() => book.events.onRun(sandbox())).toThrow('cannot attach');
  expect(book.held).toEqual([]);
});

test('an enrolment that names no namespace gets the pod’s, and its address while the API knows none', () => {
  const { book, enrolments } = setUp();
  expect(() => book.enrol(wanted)).toThrow(AwaitedPod);
  book.events.onRun(sandbox());
  book.enrol(wanted);
  expect(enrolments.at(-1)).toEqual({ ...wanted, netns: 'cni-1', addresses: ['10.0.0.1'] });
  expect(book.held).toEqual([]);
  book.enrol({ ...wanted, addresses: ['10.0.0.9'], netns: 'by-name' });
  expect(enrolments.at(-1)).toMatchObject({ addresses: ['10.0.0.9'], netns: 'by-name' });
});

test('a pod is let go when its sandbox stops; the end of an older sandbox of the same pod is not its end', () => {
  const { book, events } = setUp();
  book.events.onRun(sandbox());
  book.events.onRun(sandbox({ id: 'box-2', netns: 'cni-2' }));
  book.events.onStop(sandbox());
  expect(events).toEqual(['held uid-1', 'held uid-1']);
  book.events.onStop(sandbox({ id: 'box-2' }));
  expect(events.slice(2)).toEqual(['withdrawn uid-1', 'stopped uid-1']);
  expect(() => book.enrol(wanted)).toThrow(AwaitedPod);
});

test('after a restart, pods that were captured are held again, and all others are only remembered', () => {
  const { book, enrolments } = setUp({ orphans: ['uid-1'] });
  book.events.onSynchronized([
    sandbox(),
    sandbox({ id: 'box-0', netns: null }),
    sandbox({ id: 'box-2', uid: 'uid-2', netns: 'cni-2', addresses: ['10.0.0.2'] }),
  ]);
  expect(book.held).toEqual(['uid-1']);
  book.enrol({ ...wanted, workload: 'uid-2' });
  expect(enrolments.map(({ netns }) => netns)).toEqual(['cni-1', 'cni-2']);
});

test('pods that started while the runtime did not tell are held once it tells again; those known before are not', () => {
  const { book } = setUp();
  const known = sandbox({ id: 'box-2', uid: 'uid-2', netns: 'cni-2', addresses: ['10.0.0.2'] });
  book.events.onSynchronized([known]);
  expect(book.held).toEqual([]);
  book.events.onSynchronized([known, sandbox(), sandbox({ id: 'box-3', uid: 'uid-3', namespace: 'other' })]);
  expect(book.held).toEqual(['uid-1']);
});

test('weft-cni tells of a pod first: it is held by its namespace, and NRI after it changes nothing', () => {
  const { book, events, enrolments } = setUp();
  expect(book.addNetwork(sandbox())).toBe('held');
  book.enrol(wanted);
  book.events.onRun(sandbox({ labels: { app: 'cart' } }));
  expect(enrolments.map(({ failMode }) => failMode)).toEqual(['closed', 'open']);
  expect(events).toEqual(['held uid-1']);
});

test('a pod that weft-cni held by its namespace is let go by its label, before it runs', () => {
  const { book, events } = setUp();
  expect(book.addNetwork(sandbox())).toBe('held');
  book.events.onRun(sandbox({ labels: { 'weft.dev/mesh': 'disabled' } }));
  expect([events, book.held]).toEqual([['held uid-1', 'withdrawn uid-1'], []]);
});

test('weft-cni lets pods of other namespaces pass, but not one that the configuration wants already', () => {
  const { book } = setUp();
  expect(book.addNetwork(sandbox({ namespace: 'other' }))).toBe('outside');
  expect(() => book.enrol({ ...wanted, workload: 'uid-2' })).toThrow(AwaitedPod);
  expect(book.addNetwork(sandbox({ id: 'box-2', uid: 'uid-2', namespace: 'other' }))).toBe('held');
  book.withdraw('uid-2');
  expect(book.addNetwork(sandbox({ id: 'box-3', uid: 'uid-2', namespace: 'other' }))).toBe('outside');
});

test('where weft-cni cannot have a pod held it is told, and what it removes is let go', () => {
  expect(() => setUp({ broken: true }).book.addNetwork(sandbox())).toThrow('cannot attach');
  const { book, events } = setUp();
  book.addNetwork(sandbox());
  book.removeNetwork('box-0');
  expect(book.held).toEqual(['uid-1']);
  book.removeNetwork('box-1');
  expect(events.slice(1)).toEqual(['withdrawn uid-1', 'stopped uid-1']);
});

test('a check tells who should be captured and is not', () => {
  const { book } = setUp();
  expect(book.checkNetwork(sandbox())).toBe('missing');
  expect(book.checkNetwork(sandbox({ namespace: 'other' }))).toBe('outside');
  book.addNetwork(sandbox());
  expect(book.checkNetwork(sandbox())).toBe('held');
});

test('without NRI a pod’s namespace is what the runtime keeps of its network, after a restart too', () => {
  const { book, enrolments } = setUp({
    orphans: ['uid-2', 'uid-9'],
    kept: [sandbox(), sandbox({ id: 'box-2', uid: 'uid-2', netns: 'cni-2' })],
  });
  book.restore();
  expect(book.held).toEqual(['uid-2']);
  book.enrol(wanted);
  expect(enrolments.map(({ netns }) => netns)).toEqual(['cni-2', 'cni-1']);
});
