import { Reason } from '../reasons/reasons.js';
import { findDestination, portProtocol } from './find-destination.js';
import { emptySnapshot } from './snapshot.js';
import { endpoint, endpointSet, mesh, resource, service, snapshotOf, workload } from './test-resources.js';

const ranges = [
  { cidr: '10.0.0.0/8', action: 'proxy' as const },
  { cidr: '10.9.0.0/16', action: 'direct' as const },
  { cidr: '192.0.2.0/24', action: 'deny' as const },
];
const snapshot = snapshotOf(
  resource('mesh', mesh({ ranges })),
  resource(
    'workload',
    workload({ addresses: ['10.0.0.1', 'fd00::1'], ports: [{ name: '', port: 81, protocol: 'tcp' }] }),
  ),
  resource('service', service({ addresses: ['10.96.0.1', 'fd00::96'] })),
  resource('endpoints', endpointSet([endpoint({ ready: false, serving: false, ports: { 80: 8080 } })])),
);

test.each(['10.96.0.1', 'fd00::96'])('the virtual address %s leads to its service', (address) => {
  expect(findDestination(snapshot, address, 80)).toMatchObject({
    kind: 'service',
    port: { serviceKey: 'shop/cart' },
  });
});

test.each(['10.0.0.1', 'fd00::1'])('the address %s leads to its workload', (address) => {
  expect(findDestination(snapshot, address, 81)).toMatchObject({
    kind: 'workload',
    view: { workload: { uid: 'cart-1' } },
    protocol: 'tcp',
  });
});

test.each([
  ['a port that the service does not have', '10.96.0.1', 81, Reason.unknown_destination],
  ['an address of the mesh that nobody owns', '10.0.0.77', 80, Reason.unknown_destination],
  ['a denied range', '192.0.2.1', 80, Reason.kernel_range_denied],
])('%s is refused', (_, address, port, reason) => {
  expect(findDestination(snapshot, address, port)).toEqual({ kind: 'refused', reason });
});

test.each([
  ["a longer range within the mesh's", '10.9.0.1'],
  ['an address in no range', '198.51.100.1'],
])('%s passes by', (_, address) => {
  expect(findDestination(snapshot, address, 443)).toEqual({ kind: 'passthrough' });
});

test('without a mesh everything unknown passes by', () => {
  expect(findDestination(emptySnapshot, '10.0.0.1', 80)).toEqual({ kind: 'passthrough' });
});

describe("the protocol of a workload's port", () => {
  const protocolOf = (port: number, ...more: Parameters<typeof snapshotOf>) => {
    const whole = more.length === 0 ? snapshot : snapshotOf(...more);
    const view = whole.workloads.get('cart-1');
    return view === undefined ? undefined : portProtocol(whole, view, port);
  };
  const front = (name: string, protocol: 'http' | 'tcp', namespace = 'shop') => [
    resource(
      'service',
      service({ namespace, name, addresses: [], ports: [{ name: '', port: 80, protocol }] }),
    ),
    resource('endpoints', endpointSet([endpoint()], { namespace, name })),
  ];
  const pod = resource('workload', workload());

  test('is its own declaration first', () => expect(protocolOf(81)).toBe('tcp'));
  test("then that of a service, by the endpoint's own port, also while it is not ready", () => {
    expect(protocolOf(8080)).toBe('http');
    expect(protocolOf(80)).toBe('tcp');
  });
  test('is http where services disagree, in any order', () => {
    expect(protocolOf(8080, pod, ...front('a', 'tcp'), ...front('b', 'http'))).toBe('http');
    expect(protocolOf(8080, pod, ...front('a', 'http'), ...front('b', 'tcp'))).toBe('http');
  });
  test('is not for another namespace to say', () => {
    expect(protocolOf(8080, pod, ...front('a', 'http', 'other'))).toBe('tcp');
  });
});
