import type { Resource } from '../../model/resource.js';
import {
  endpoint,
  endpointSet,
  mesh,
  policy,
  resource,
  route,
  service,
  workload,
} from '../../model/test-resources.js';
import { encodeResource } from '../../proto/encode-resource.js';
import { loadConfigService } from '../../proto/load-config-service.js';
import type { DeltaMessage, ReceivedDelta } from '../../proto/messages.js';
import { type OutgoingDelta, sharingSerializer } from './serialize-delta.js';

const stream = loadConfigService().definition.Stream;
const plain = (delta: DeltaMessage): Buffer => stream.responseSerialize(delta);
const read = (bytes: Buffer): ReceivedDelta => stream.responseDeserialize(bytes);
const asMessage = (delta: OutgoingDelta): DeltaMessage => ({
  ...delta,
  upserts: delta.upserts.map(encodeResource),
});

const everyKind: Resource[] = [
  resource('mesh', mesh()),
  resource('authorization-policy', policy()),
  resource('workload', workload()),
  resource('service', service()),
  resource('http-route', route()),
  resource('endpoints', endpointSet([endpoint()])),
];
const delta: OutgoingDelta = {
  nonce: 7,
  snapshotVersion: 9,
  complete: true,
  upserts: everyKind,
  removals: [],
};

test("shared bytes are the plain encoder's: fields in order, and nothing behind the resources", () => {
  const serialize = sharingSerializer(plain);
  for (const upserts of [everyKind, everyKind.slice(2), everyKind.toReversed(), []]) {
    const one = { ...delta, upserts };
    expect(serialize(one).equals(plain(asMessage(one)))).toBe(true);
  }
});

test('shared bytes read as the same delta, whatever is behind the resources', () => {
  const serialize = sharingSerializer(plain);
  const removals = [{ kind: 'service', name: 'shop/b', version: '3' }];
  for (const one of [
    { ...delta, removals, scoped: true },
    { nonce: 1, upserts: [] },
  ]) {
    expect(read(serialize(one))).toEqual(read(plain(asMessage(one))));
  }
});

test("each resource's bytes are made once", () => {
  let made = 0;
  const serialize = sharingSerializer((message) => {
    if ((message.upserts ?? []).length > 0) made += 1;
    return plain(message);
  });
  for (let node = 0; node < 10; node += 1) serialize({ ...delta, nonce: node });
  expect(made).toBe(everyKind.length);
});
