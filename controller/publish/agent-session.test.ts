import { applyDelta } from '../../model/apply-delta.js';
import type { Resource } from '../../model/resource.js';
import { emptySnapshot } from '../../model/snapshot.js';
import { route } from '../../model/test-resources.js';
import { decodeDelta } from '../../proto/decode-delta.js';
import { encodeRefusal } from '../../proto/encode-resource.js';
import { loadConfigService } from '../../proto/load-config-service.js';
import type { RefusalMessage } from '../../proto/messages.js';
import { makeResource } from '../resources/make-resource.js';
import { AgentSession } from './agent-session.js';
import { Publisher } from './publisher.js';
import { type OutgoingDelta, shareBytes } from './serialize-delta.js';
import { changesTo } from './test-changes.js';

const stream = shareBytes(loadConfigService().definition).Stream;

/** An agent that takes deltas as the proxy does, by the model's own rules. */
class ModelAgent {
  readonly session = new AgentSession();
  readonly #publisher: Publisher;
  snapshot = emptySnapshot;

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
    this.session.receive({
      hello: {
        protocol: 1,
        node: 'local',
        agentVersion: '',
        held: [],
        transports: [],
        scoped: false,
        wants: [],
      },
      message: 'hello',
    });
  }

  /** Exchanges deltas until there is nothing to send; returns how many it took. */
  settle(): number {
    let count = 0;
    for (;;) {
      const delta = this.session.next(this.#publisher);
      if (delta === null) return count;
      count += 1;
      const ack = { nonce: delta.nonce as number, refusals: this.#apply(delta) };
      const bytes = stream.requestSerialize({ ack });
      expect(this.session.receive(stream.requestDeserialize(bytes))).toBeNull();
    }
  }

  #apply(message: OutgoingDelta): RefusalMessage[] {
    const delta = decodeDelta(stream.responseDeserialize(stream.responseSerialize(message)));
    const applied = applyDelta(this.snapshot, delta, delta.snapshotVersion);
    this.snapshot = applied.snapshot;
    return applied.refusals.map(({ key, version, problems }) =>
      encodeRefusal(key.kind, key.name, version, problems),
    );
  }

  /** The addresses of a service that are in force. */
  addresses(name: string): readonly string[] | undefined {
    return this.snapshot.services.get(`shop/${name}`)?.service.addresses;
  }
}

function service(name: string, ...addresses: string[]): Resource {
  const body = {
    namespace: 'shop',
    name,
    addresses,
    ports: [],
    balancing: 'peak-ewma' as const,
    affinitySeconds: 0,
  };
  return makeResource('service', `shop/${name}`, 'shop', body);
}

test('an address that moves between services arrives, whichever of the two travels first', () => {
  for (const [from, to] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const publisher = new Publisher();
    const agent = new ModelAgent(publisher);
    publisher.publish(
      { resources: changesTo([service(from, '10.0.0.1'), service(to, '10.0.0.2')], publisher.snapshot) },
      false,
      1,
    );
    agent.settle();
    publisher.publish(
      { resources: changesTo([service(from, '10.0.0.3'), service(to, '10.0.0.1')], publisher.snapshot) },
      false,
      2,
    );
    agent.settle();
    expect(agent.session.refusals).toEqual([]);
    expect([agent.addresses(from), agent.addresses(to)]).toEqual([['10.0.0.3'], ['10.0.0.1']]);
    expect(agent.session.ackedVersion).toBe(publisher.snapshot?.version);
  }
});

test('a resource that stays refused is tried twice and then only told', () => {
  const publisher = new Publisher();
  const agent = new ModelAgent(publisher);
  publisher.publish(
    { resources: changesTo([service('a', '10.0.0.1'), service('b', '10.0.0.1')], publisher.snapshot) },
    false,
    1,
  );
  expect(agent.settle()).toBe(2);
  expect(agent.session.refusals).toMatchObject([
    { kind: 'service', name: 'shop/b', problems: [{ field: 'addresses[0]', value: '10.0.0.1' }] },
  ]);
  expect(agent.session.ackedVersion).toBe(publisher.snapshot?.version);
  publisher.publish(
    { resources: changesTo([service('a', '10.0.0.1'), service('b', '10.0.0.2')], publisher.snapshot) },
    false,
    2,
  );
  expect(agent.settle()).toBe(1);
  expect(agent.session.refusals).toEqual([]);
});

test('nothing is sent before hello, while a delta is in flight, or after the end', () => {
  const publisher = new Publisher();
  publisher.publish({ resources: changesTo([service('a', '10.0.0.1')], publisher.snapshot) }, false, 1);
  const session = new AgentSession();
  expect(session.next(publisher)).toBeNull();
  session.receive({
    hello: { protocol: 1, node: 'n', agentVersion: '', held: [], transports: [], scoped: false, wants: [] },
    message: 'hello',
  });
  expect(session.next(publisher)?.upserts).toHaveLength(1);
  expect(session.next(publisher)).toBeNull();
  session.close();
  expect(session.receive({ ack: { nonce: 1, refusals: [] }, message: 'ack' })).toBeNull();
  expect(session.next(publisher)).toBeNull();
});

test('an empty message and a second hello are faults', () => {
  const session = new AgentSession();
  expect(session.receive({})).toMatchObject({ code: 'INVALID_ARGUMENT' });
  const hello = {
    protocol: 1,
    node: 'n',
    agentVersion: '',
    held: [],
    transports: [],
    scoped: false,
    wants: [],
  };
  expect(session.receive({ hello, message: 'hello' })).toBeNull();
  expect(session.receive({ hello, message: 'hello' })).toMatchObject({ message: 'hello came twice' });
});

test('a version that changes nothing for a node is not sent, and counts as held', () => {
  const publisher = new Publisher();
  publisher.publish({ resources: changesTo([service('a', '10.0.0.1')]) }, false, 1);
  const agent = new ModelAgent(publisher);
  agent.settle();
  const far = makeResource('http-route', 'shop/r', 'shop', route({ name: 'r' }));
  const scoped = new AgentSession();
  const hello = {
    protocol: 1,
    node: 'far',
    agentVersion: '',
    held: [],
    transports: [],
    scoped: true,
    wants: [],
  };
  scoped.receive({ hello, message: 'hello' });
  const first = scoped.next(publisher);
  expect(first?.upserts?.map(({ name }) => name)).toEqual(['shop/a']);
  scoped.receive({ ack: { nonce: first?.nonce as number, refusals: [] }, message: 'ack' });
  publisher.publish({ resources: new Map([['http-route shop/r', far]]) }, false, 2);
  expect(scoped.next(publisher)).toBeNull();
  expect([scoped.ackedVersion, scoped.state]).toEqual([2, 'idle']);
  publisher.publish({ resources: new Map([['service shop/a', service('a', '10.0.0.2')]]) }, false, 3);
  expect(scoped.next(publisher)?.upserts?.map(({ name }) => name)).toEqual(['shop/a']);
});
