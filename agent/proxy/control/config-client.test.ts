import type { Detail } from '../../../model/workload-index.js';
import type { AgentMessage, ReceivedDelta } from '../../../proto/messages.js';
import { ConfigClient, type ConfigStreamHandlers } from './config-client.js';
import { PausedTimers } from './paused-timers.js';

const delta = (nonce: number): ReceivedDelta => ({
  nonce,
  snapshotVersion: nonce,
  complete: true,
  upserts: [],
  removals: [],
  scoped: false,
  wants: [],
});

function harness() {
  const timers = new PausedTimers();
  const sent: AgentMessage[] = [];
  const calls: string[] = [];
  const streams: ConfigStreamHandlers[] = [];
  const state = {
    fail: false,
    held: [] as { kind: string; name: string; version: string }[],
    wants: [] as Detail[],
    cancelled: 0,
  };
  const client = new ConfigClient({
    open: (handlers) => {
      streams.push(handlers);
      return {
        send: (message) => void sent.push(message),
        cancel: () => {
          state.cancelled += 1;
        },
      };
    },
    node: 'n1',
    version: '0.1.0',
    protocol: 1,
    held: () => state.held,
    transports: () => [{ uid: 'cart', transport: 'arriving' }],
    wants: () => state.wants,
    reporter: {
      opened: () => void calls.push('opened'),
      applied: () => void calls.push(`applied after ${sent.length} messages`),
      closed: () => void calls.push('closed'),
    },
    apply: () => {
      if (state.fail) throw new Error('broken');
      return [{ kind: 'service', name: 'a/b', version: '1', problems: [] }];
    },
    timers,
    random: () => 1,
    log: () => {},
  });
  return { client, timers, sent, calls, streams, state };
}

test('a stream opens with what is held, and each delta is acknowledged with its refusals', () => {
  const { client, sent, calls, streams, state } = harness();
  state.held = [{ kind: 'mesh', name: 'mesh', version: '7' }];
  client.start();
  expect(client.connected).toBe(false);
  streams[0]?.onDelta(delta(5));
  expect(client.connected).toBe(true);
  expect(sent).toEqual([
    {
      hello: {
        protocol: 1,
        node: 'n1',
        agentVersion: '0.1.0',
        held: state.held,
        transports: [{ uid: 'cart', transport: 'arriving' }],
        scoped: true,
        wants: [],
      },
    },
    { ack: { nonce: 5, refusals: [{ kind: 'service', name: 'a/b', version: '1', problems: [] }] } },
  ]);
  expect(calls).toEqual(['opened', 'applied after 1 messages']);
  client.report({ workloads: [] });
  expect(sent.at(-1)).toEqual({ report: { workloads: [] } });
  streams[0]?.onEnd(undefined);
  client.report({ workloads: [] });
  expect(sent).toHaveLength(3);
  expect(calls.at(-1)).toBe('closed');
});

test('tries grow apart up to ten seconds, and start small again after an answer', () => {
  const { client, timers, streams } = harness();
  client.start();
  const gaps: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    const before = streams.length;
    const from = timers.now();
    streams.at(-1)?.onEnd(new Error('UNAVAILABLE'));
    while (streams.length === before) timers.advance(50);
    gaps.push(timers.now() - from);
  }
  expect(gaps).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  streams.at(-1)?.onDelta(delta(1));
  streams.at(-1)?.onEnd(undefined);
  const before = streams.length;
  timers.advance(100);
  expect(streams.length).toBe(before + 1);
  expect(client.connected).toBe(false);
});

test('a delta that cannot be applied is not acknowledged, and the stream is opened anew', () => {
  const { client, timers, sent, streams, state } = harness();
  client.start();
  state.fail = true;
  streams[0]?.onDelta(delta(1));
  expect(state.cancelled).toBe(1);
  timers.advance(100);
  expect(streams).toHaveLength(2);
  expect(sent.every((message) => message.ack === undefined)).toBe(true);
});

test('after close nothing is opened', () => {
  const { client, timers, streams, state } = harness();
  client.start();
  client.close();
  timers.advance(60_000);
  expect(streams).toHaveLength(1);
  expect(state.cancelled).toBe(1);
});

test('wants go to a controller that understands them, and to no other', () => {
  const { client, streams, sent, state } = harness();
  const [a, b]: [Detail, Detail] = [
    { kind: 'service', name: 'shop/a' },
    { kind: 'workload', name: 'b' },
  ];
  state.wants = [a];
  client.start();
  expect(sent[0]?.hello).toMatchObject({ scoped: true, wants: [a] });
  // What comes up before the first delta is told once it says that the controller understands.
  state.wants = [a, b];
  client.want([b], []);
  expect(sent).toHaveLength(1);
  streams[0]?.onDelta({ ...delta(1), scoped: true });
  expect(sent[1]).toEqual({ wants: { added: [b], removed: [] } });
  state.wants = [b];
  client.want([], [a]);
  expect(sent.at(-1)).toEqual({ wants: { added: [], removed: [a] } });
  streams[0]?.onEnd(undefined);
});

test('a controller of before that sends everything is never sent a want, which would end its stream', () => {
  const { client, streams, sent, state } = harness();
  client.start();
  streams[0]?.onDelta(delta(1));
  state.wants = [{ kind: 'service', name: 'shop/a' }];
  client.want(state.wants, []);
  streams[0]?.onDelta(delta(2));
  expect(sent.some(({ wants }) => wants !== undefined)).toBe(false);
});
