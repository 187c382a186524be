import type { Channel, ChannelHandlers } from '../../native/channel.js';
import { maxMessageBytes } from '../handover/messages.js';
import { handOver, takeOver } from './take-over.js';

/** Both ends in one process: what the predecessor sends is what the successor reads. */
function handAll(secrets: readonly { workload: string; secret: string }[]) {
  const packets: Buffer[] = [];
  const connectChannel = (_socket: string, handlers: ChannelHandlers): Channel => {
    const predecessor = { send: (packet: Uint8Array) => void packets.push(Buffer.from(packet)) } as Channel;
    return {
      peer: { pid: 1, uid: 0, gid: 0 },
      send: (message) => {
        if (Buffer.from(message).toString().includes('taken')) {
          handlers.onClose(undefined);
          return;
        }
        handOver(predecessor, { pods: [], held: new Set(), secrets });
        queueMicrotask(() => {
          for (const packet of packets) handlers.onMessage(packet, []);
        });
      },
      close: () => handlers.onClose(undefined),
    };
  };
  return { taken: takeOver({ connectChannel }, '/s'), packets };
}

test('a full vault arrives whole, in few packets that each fit', async () => {
  const secrets = Array.from({ length: 1100 }, (_, at) => ({
    workload: `uid-${at}`,
    secret: 'A'.repeat(4096),
  }));
  const { taken, packets } = handAll(secrets);
  expect(await taken).toEqual({ pods: [], held: new Set(), secrets });
  expect(packets.length).toBeLessThan(50);
  expect(Math.max(...packets.map((packet) => packet.length))).toBeLessThanOrEqual(maxMessageBytes);
});

test('the longest secrets go one by one, and an empty vault needs no packet', async () => {
  const secrets = ['a', 'b', 'c'].map((workload) => ({ workload, secret: 'A'.repeat(64 * 1024) }));
  const { taken, packets } = handAll(secrets);
  expect([await taken, packets.length]).toEqual([{ pods: [], held: new Set(), secrets }, 4]);
  expect((await handAll([]).taken).secrets).toEqual([]);
});
