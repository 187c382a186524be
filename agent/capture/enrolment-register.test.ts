import type { KernelPrograms, NamespaceListener } from '../../native/kernel.js';
import type { Enrolment } from '../handover/messages.js';
import { pod, podFlags } from './abi-layout.js';
import { encodeIp } from './encode-address.js';
import { encodeU64, readField } from './encode-struct.js';
import { EnrolmentRegister } from './enrolment-register.js';

/** The kernel's maps and links in memory. */
class MemoryKernel implements KernelPrograms {
  readonly maps = { notes: 1 };
  readonly links = {};
  readonly tables = new Map<string, Map<string, Buffer>>();
  readonly attached = new Map<string, boolean>();
  /** Writes to this map fail. */
  broken: string | undefined;
  /** Entries of the maps when a namespace was attached or let go last. */
  podsAtAttach = 0;
  listenersAtDetach = 0;

  table(map: string): Map<string, Buffer> {
    let table = this.tables.get(map);
    if (table === undefined) {
      table = new Map();
      this.tables.set(map, table);
    }
    return table;
  }
  get sizes(): Record<string, number> {
    return Object.fromEntries([...this.tables].map(([name, table]) => [name, table.size]));
  }
  attachNamespace(_netns: number, name: string) {
    if (this.broken === 'link') throw new Error('cannot attach');
    this.podsAtAttach = this.table('pods').size;
    this.attached.set(name, true);
    return 'created' as const;
  }
  detachNamespace(name: string): void {
    this.listenersAtDetach = this.table('listeners').size;
    this.attached.delete(name);
  }
  namespaces() {
    return Object.fromEntries(this.attached);
  }
  lookup(map: string, key: Uint8Array): Buffer | null {
    const found = this.table(map).get(Buffer.from(key).toString('hex'));
    return found === undefined ? null : Buffer.from(found);
  }
  update(map: string, key: Uint8Array, value: Uint8Array): void {
    if (map === this.broken) throw new Error(`cannot write ${map}`);
    this.table(map).set(Buffer.from(key).toString('hex'), Buffer.from(value));
  }
  remove(map: string, key: Uint8Array): boolean {
    return this.table(map).delete(Buffer.from(key).toString('hex'));
  }
  keys(map: string): Buffer[] {
    return [...this.table(map).keys()].map((key) => Buffer.from(key, 'hex'));
  }
  sumCounters(): number[] {
    return [];
  }
  selfTest(): void {}
  keep(): void {}
  close(): void {}
}

const listenersOf = (base: number): NamespaceListener[] => [
  { descriptor: base, direction: 'inbound', family: 4, port: 61_440 },
  { descriptor: base + 1, direction: 'outbound', family: 4, port: 61_441 },
];

function setUp(kernel = new MemoryKernel()) {
  const open = new Set<number>();
  let next = 100;
  const cookies = new Map<string, bigint>([
    ['pod-1', 0x11n],
    ['pod-2', 0x22n],
  ]);
  const names = new Map<number, string>();
  const register = new EnrolmentRegister({
    kernel,
    netnsFolders: ['/run/netns'],
    functions: {
      openNamespace: (_folders, name) => {
        if (!cookies.has(name)) throw new Error(`there is no namespace ${name}`);
        next += 10;
        open.add(next);
        names.set(next, name);
        return next;
      },
      readNamespaceCookie: (netns) => cookies.get(names.get(netns) ?? '') ?? 0n,
      makeListeners: (netns) => {
        for (const { descriptor } of listenersOf(netns + 1)) open.add(descriptor);
        return listenersOf(netns + 1);
      },
      makeSockets: (_netns, _family, count) => new Array<number>(count).fill(7),
    },
    closeDescriptor: (descriptor) => {
      if (!open.delete(descriptor)) throw new Error(`${descriptor} was closed twice`);
    },
    isSameNamespace: (name) => cookies.has(name),
  });
  return { kernel, register, open, cookies };
}

const enrolment = (n: number, more: Partial<Enrolment> = {}): Enrolment => ({
  workload: `uid-${n}`,
  netns: `pod-${n}`,
  addresses: [`10.0.0.${n}`],
  failMode: 'closed',
  udp: 'allow',
  probePorts: [8080],
  group: n,
  ...more,
});

const flagsOf = (kernel: MemoryKernel, cookie: bigint) =>
  readField(kernel.lookup('pods', encodeU64(cookie)) ?? Buffer.alloc(0), pod.fields.flags);

test('an enrolment stands until it is withdrawn, and leaves nothing', () => {
  const { kernel, register, open } = setUp();
  const listeners = register.enrol(enrolment(1));
  expect(register.enrol(enrolment(1))).toEqual(listeners);
  expect(open.size).toBe(3);
  expect(kernel.sizes).toMatchObject({ pods: 1, addresses: 1, listeners: 1, probe_ports: 1, workloads: 1 });
  expect(register.withdraw('uid-1')).toBe(true);
  expect(register.withdraw('uid-1')).toBe(false);
  // As long as arrivals are steered the maps say where to: others would be dropped.
  expect([kernel.podsAtAttach, kernel.listenersAtDetach]).toEqual([1, 1]);
  expect(Object.values(kernel.sizes).every((size) => size === 0)).toBe(true);
  expect([open.size, kernel.attached.size]).toEqual([0, 0]);
});

test.each(['pods', 'addresses', 'listeners', 'probe_ports', 'workloads', 'link'])(
  'where %s cannot be written nothing of the enrolment is in force',
  (broken) => {
    const { kernel, register, open } = setUp();
    kernel.broken = broken;
    expect(() => register.enrol(enrolment(1))).toThrow(/cannot/);
    expect(Object.values(kernel.sizes).every((size) => size === 0)).toBe(true);
    expect([open.size, kernel.attached.size, register.enrolled.length]).toEqual([0, 0, 0]);
  },
);

test('a namespace or an address of another workload is refused, and that one stays', () => {
  const { kernel, register, open } = setUp();
  register.enrol(enrolment(1));
  expect(() => register.enrol(enrolment(1, { workload: 'thief' }))).toThrow(/enrolled by uid-1/);
  expect(() => register.enrol(enrolment(2, { addresses: ['10.0.0.1'] }))).toThrow(
    /10\.0\.0\.1 is enrolled by uid-1/,
  );
  expect(() => register.enrol(enrolment(3))).toThrow(/no namespace/);
  expect([register.enrolled, open.size]).toEqual([['uid-1'], 3]);
  expect(kernel.lookup('addresses', encodeIp('10.0.0.1'))?.readBigUInt64LE()).toBe(0x11n);
  expect(kernel.attached.size).toBe(1);
});

test('a change keeps the listeners and removes what is no more wanted', () => {
  const { kernel, register } = setUp();
  const listeners = register.enrol(enrolment(1, { addresses: ['10.0.0.1', '10.0.0.9'], probePorts: [1, 2] }));
  expect(register.enrol(enrolment(1, { probePorts: [2], udp: 'deny' }))).toEqual(listeners);
  expect(kernel.sizes).toMatchObject({ addresses: 1, listeners: 1, probe_ports: 1 });
  expect(flagsOf(kernel, 0x11n)).toBe(podFlags.WEFT_POD_UDP_DENY);
});

test('a namespace made anew under the same name is enrolled anew', () => {
  const { kernel, register, open, cookies } = setUp();
  const before = register.enrol(enrolment(1));
  cookies.set('pod-1', 0x33n);
  expect(register.enrol(enrolment(1))).not.toEqual(before);
  expect([...kernel.table('pods').keys()]).toEqual([encodeU64(0x33n).toString('hex')]);
  expect(open.size).toBe(3);
});

test('a namespace that is gone is let go', () => {
  const { kernel, register, open, cookies } = setUp();
  register.enrol(enrolment(1));
  cookies.delete('pod-1');
  expect(register.withdrawVanished()).toEqual(['uid-1']);
  expect([open.size, kernel.attached.size]).toEqual([0, 0]);
});

test('only pods that ask for it are opened, and an enrolment closes them again', () => {
  const { kernel, register } = setUp();
  register.enrol(enrolment(1, { failMode: 'open' }));
  register.enrol(enrolment(2));
  expect(register.setProxyGone(true)).toBe(1);
  expect(flagsOf(kernel, 0x11n)).toBe(podFlags.WEFT_POD_FAIL_OPEN | podFlags.WEFT_POD_PROXY_GONE);
  expect(flagsOf(kernel, 0x22n)).toBe(0);
  register.enrol(enrolment(1, { failMode: 'open' }));
  expect(flagsOf(kernel, 0x11n)).toBe(podFlags.WEFT_POD_FAIL_OPEN);
});

test('a capture that starts again knows who was enrolled, and forgets namespaces that are gone', () => {
  const kernel = new MemoryKernel();
  const before = setUp(kernel).register;
  before.enrol(enrolment(1));
  before.enrol(enrolment(2));
  kernel.attached.set('netns-22', false);
  kernel.attached.set('netns-99', true);
  const { register } = setUp(kernel);
  expect(register.readLeftOver()).toEqual(['uid-2']);
  expect(register.enrolled).toEqual(['uid-1']);
  expect([...kernel.attached.keys()]).toEqual(['netns-11']);
  expect(kernel.sizes).toMatchObject({ pods: 1, addresses: 1 });
  register.enrol(enrolment(1));
  expect(register.enrolled).toEqual(['uid-1']);
  expect(register.withdraw('uid-1')).toBe(true);
});

test('what was enrolled before can be withdrawn without being enrolled again', () => {
  const kernel = new MemoryKernel();
  setUp(kernel).register.enrol(enrolment(1));
  const { register } = setUp(kernel);
  register.readLeftOver();
  expect(() => register.makeSockets('uid-1', 4, 1)).toThrow(/not enrolled/);
  expect(register.withdraw('uid-1')).toBe(true);
  expect(Object.values(kernel.sizes).every((size) => size === 0)).toBe(true);
});
