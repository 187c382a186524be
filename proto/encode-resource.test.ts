import type { ResourceKind } from '../model/resource.js';
import { decodeDelta } from './decode-delta.js';
import { decodeResource } from './decode-resource.js';
import { encodeResource } from './encode-resource.js';
import { Choices, generateResource } from './generate-resources.js';
import { loadConfigService } from './load-config-service.js';
import type { DeltaMessage, ReceivedDelta, ReceivedResource, ResourceMessage } from './messages.js';

const stream = loadConfigService().definition.Stream;

/** What a receiver sees of a delta after it went over the wire as bytes. */
function overTheWire(delta: DeltaMessage): ReceivedDelta {
  return stream.responseDeserialize(stream.responseSerialize(delta));
}

function received(resource: ResourceMessage): ReceivedResource {
  const [found] = overTheWire({ upserts: [resource] }).upserts;
  if (found === undefined) throw new Error('the resource was lost on the wire');
  return found;
}

/** The problems' fields after a message was bent by `change`. */
function problemsAfter(kind: ResourceKind, change: (message: ReceivedResource) => void): string[] {
  const message = received(encodeResource(generateResource(new Choices(7), kind)));
  change(message);
  const decoded = decodeResource(message);
  return decoded.ok ? [] : decoded.problems.map((problem) => problem.field);
}

const kinds: ResourceKind[] = [
  'mesh',
  'workload',
  'workload-index',
  'service',
  'endpoints',
  'http-route',
  'authorization-policy',
];

describe.each(kinds)('a %s', (kind) => {
  test('comes back as it was sent, for 300 random bodies', () => {
    const choices = new Choices(42);
    for (let round = 0; round < 300; round += 1) {
      const resource = generateResource(choices, kind);
      expect(decodeResource(received(encodeResource(resource)))).toEqual({ ok: true, resource });
    }
  });

  test('is refused under another name or owner than its body has', () => {
    // Nothing but its own content says what an index is called.
    const misnamed = problemsAfter(kind, (message) => Object.assign(message, { name: 'other/thing' }));
    expect(misnamed).toEqual(kind === 'workload-index' ? [] : ['name']);
    expect(problemsAfter(kind, (message) => Object.assign(message, { ownerNamespace: 'other' }))).toEqual([
      'ownerNamespace',
    ]);
  });

  test('is refused without a version', () => {
    expect(problemsAfter(kind, (message) => Object.assign(message, { version: '' }))).toEqual(['version']);
  });
});

test('names that this build does not know are problems with the path of their field', () => {
  expect(
    problemsAfter('workload', ({ workload }) => Object.assign(workload ?? {}, { kind: 'martian' })),
  ).toEqual(['workload.kind']);
  expect(
    problemsAfter('service', ({ service }) => Object.assign(service ?? {}, { balancing: 'random' })),
  ).toEqual(['service.balancing']);
  expect(
    problemsAfter('authorization-policy', (message) =>
      Object.assign(message.authorizationPolicy ?? {}, { action: 'MAYBE', mode: '' }),
    ),
  ).toEqual(['policy.action', 'policy.mode']);
});

test('bad addresses, ports and ranges are problems', () => {
  expect(
    problemsAfter('workload', ({ workload }) => Object.assign(workload ?? {}, { addresses: ['10.0.0.256'] })),
  ).toEqual(['workload.addresses[0]']);
  expect(
    problemsAfter('service', ({ service }) =>
      Object.assign(service ?? {}, { ports: [{ name: '', port: 70_000, protocol: 'tcp' }] }),
    ),
  ).toEqual(['service.ports[0].port']);
  expect(
    problemsAfter('mesh', ({ mesh }) =>
      Object.assign(mesh ?? {}, { ranges: [{ cidr: '10.0.0.1/8', action: 'proxy' }] }),
    ),
  ).toEqual(['mesh.ranges[0].cidr']);
});

test('a network namespace that is a path is refused', () => {
  for (const netns of ['.', '..', '../../proc/1/ns', '/run/netns/x']) {
    const capture = { netns, failMode: 'closed', udp: 'deny', probePorts: [] };
    expect(problemsAfter('workload', ({ workload }) => Object.assign(workload ?? {}, { capture }))).toEqual([
      'workload.capture.netns',
    ]);
  }
});

test('a policy rule that lost its sources does not become one for every source', () => {
  const rules = [{ sources: null, ports: [], http: null }];
  expect(
    problemsAfter('authorization-policy', (message) =>
      Object.assign(message.authorizationPolicy ?? {}, { rules }),
    ),
  ).toEqual(['policy.rules[0].sources']);
});

test('a route rule without a match is refused', () => {
  const rule = { name: '', matches: [], filters: [], backends: [], retry: null };
  expect(
    problemsAfter('http-route', ({ httpRoute }) => Object.assign(httpRoute ?? {}, { rules: [rule] })),
  ).toEqual(['httpRoute.rules[0].matches']);
});

test('a delta yields its good resources beside the refused ones, and known removals', () => {
  const good = generateResource(new Choices(1), 'service');
  const delta = decodeDelta(
    overTheWire({
      nonce: 3,
      snapshotVersion: 9,
      complete: true,
      upserts: [encodeResource(good), { name: 'shop/new', version: 'v1', ownerNamespace: 'shop' }],
      removals: [
        { kind: 'service', name: 'shop/old', version: '' },
        { kind: 'of-tomorrow', name: 'shop/x', version: '' },
      ],
    }),
  );
  expect(delta).toMatchObject({ nonce: 3, snapshotVersion: 9, complete: true });
  expect(delta.upserts).toEqual([good]);
  expect(delta.removals).toEqual([{ kind: 'service', name: 'shop/old' }]);
  expect(delta.refused).toMatchObject([{ kind: 'unknown', name: 'shop/new', version: 'v1' }]);
});
