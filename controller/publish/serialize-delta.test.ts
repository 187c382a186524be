import { loadConfigService } from '../../proto/load-config-service.js';
import type { DeltaMessage, ReceivedDelta } from '../../proto/messages.js';
import { sharingSerializer } from './serialize-delta.js';

const stream = loadConfigService().definition.Stream;
const plain = (delta: DeltaMessage): Buffer => stream.responseSerialize(delta);
const read = (bytes: Buffer): ReceivedDelta => stream.responseDeserialize(bytes);

const one = {
  name: 'shop/a',
  version: '1',
  service: { namespace: 'shop', name: 'a', addresses: ['10.0.0.1'] },
};
const two = { name: 'u', version: '2', workload: { uid: 'u', labels: { app: 'x' } } };
const delta: DeltaMessage = {
  nonce: 7,
  snapshotVersion: 9,
  complete: true,
  upserts: [one, two, one],
  removals: [{ kind: 'service', name: 'shop/b', version: '3' }],
};

test('shared bytes read as the same delta', () => {
  expect(read(sharingSerializer(plain)(delta))).toEqual(read(plain(delta)));
  expect(read(sharingSerializer(plain)({ nonce: 1 }))).toEqual(read(plain({ nonce: 1 })));
});

test("each resource's bytes are made once", () => {
  let made = 0;
  const serialize = sharingSerializer((message) => {
    if ((message.upserts ?? []).length > 0) made += 1;
    return plain(message);
  });
  for (let node = 0; node < 10; node += 1) serialize({ ...delta, nonce: node });
  expect(made).toBe(2);
});
