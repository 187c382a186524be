import type { Channel, ChannelHandlers } from '../../native/channel.js';
import { maxMessageBytes } from '../handover/messages.js';
import { handOver, readSuccessorMessage, type TakenOver, takeOver } from './take-over.js';

/** Both ends in one process: what the predecessor sends is what the successor reads. */
function handAll(secrets: readonly { workload: string; secret: string }[], takeUp?: () => void) {
  const packets: Buffer[] = [];
  const said: (string | undefined)[] = [];
  const handed: TakenOver[] = [];
  const connectChannel = (_socket: string, handlers: ChannelHandlers): Channel => {
    const predecessor = { send: (packet: Uint8Array) => void packets.push(Buffer.from(packet)) } as Channel;
    return {
      peer: { pid: 1, uid: 0, gid: 0 },
      send: (message) => {
        const read = readSuccessorMessage(message);
        said.push(read?.type);
        if (read?.type !== 'take-over') {
          handlers.onClose(undefined);
          return;
        }
        handOver(predecessor, read.reads, { pods: [], held: new Set(), secrets, proxyGone: true });
        queueMicrotask(() => {
          for (const packet of packets) handlers.onMessage(packet, []);
        });
      },
      close: () => handlers.onClose(undefined),
    };
  };
  const done = takeOver({ connectChannel }, '/s', (all) => {
    takeUp?.();
    handed.push(all);
  });
  return { done, handed, packets, said };
}

test('a full vault arrives whole, in few packets that each fit', async () => {
  const secrets = Array.from({ length: 1100 }, (_, at) => ({
    workload: `uid-${at}`,
    secret: 'A'.repeat(4096),
  }));
  const { done, handed, packets } = handAll(secrets);
  await done;
  expect(handed).toEqual([{ pods: [], held: new Set(), secrets, proxyGone: true }]);
  expect(packets.length).toBeLessThan(50);
  expect(Math.max(...packets.map((packet) => packet.length))).toBeLessThanOrEqual(maxMessageBytes);
});

test('the longest secrets go one by one, and an empty vault needs no packet', async () => {
  const secrets = ['a', 'b', 'c'].map((workload) => ({ workload, secret: 'A'.repeat(64 * 1024) }));
  const { done, handed, packets } = handAll(secrets);
  await done;
  expect([handed[0]?.secrets, packets.length]).toEqual([secrets, 4]);
  const empty = handAll([]);
  await empty.done;
  expect([empty.handed[0]?.secrets, empty.packets.length]).toEqual([[], 1]);
});

test('a successor that cannot take all of it up says so to nobody but itself: the predecessor serves on', async () => {
  const { done, said } = handAll([], () => {
    throw new Error('a link cannot be replaced');
  });
  await expect(done).rejects.toThrow('it serves on');
  expect(said).toEqual(['take-over']);
});

test('a successor that does not read this version is refused by its number', async () => {
  const packets: string[] = [];
  const channel = {
    send: (packet: Uint8Array) => void packets.push(packet.toString()),
  } as unknown as Channel;
  const all = { pods: [], held: new Set<string>(), secrets: [], proxyGone: false };
  expect(handOver(channel, [3], all)).toBe(false);
  expect(packets).toEqual(['{"type":"refused","protocol":4}']);
});

test('what is no message of a capture is not taken for one', () => {
  for (const text of [
    '',
    '{',
    '{"type":"hello","protocol":3}',
    '{"type":"take-over"}',
    '{"type":"take-over","reads":["4"]}',
  ]) {
    expect(readSuccessorMessage(Buffer.from(text))).toBeUndefined();
  }
});
