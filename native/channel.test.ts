import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Channel, ChannelHandlers, ChannelServer } from './channel.js';
import { loadCapture } from './load-capture.js';

const addonPath = fileURLToPath(new URL('../../build/native/weft_capture.node', import.meta.url));
const addon = loadCapture(addonPath);
const uid = process.getuid?.() ?? 0;
let folder: string;
let server: ChannelServer | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-channel-'));
});

afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

/** One end's events, each awaited by a promise. */
function collect() {
  const messages: { text: string; descriptors: number[] }[] = [];
  let wake = () => {};
  let closed: { error: Error | undefined } | undefined;
  const handlers: ChannelHandlers = {
    onMessage: (message, descriptors) => {
      messages.push({ text: message.toString(), descriptors });
      wake();
    },
    onClose: (error) => {
      closed = { error };
      wake();
    },
  };
  async function until<T>(read: () => T | undefined): Promise<T> {
    for (;;) {
      const value = read();
      if (value !== undefined) return value;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return {
    handlers,
    messages,
    received: (count: number) => until(() => (messages.length >= count ? messages : undefined)),
    closed: () => until(() => closed),
  };
}

async function connect() {
  const path = join(folder, 'socket');
  const atServer = collect();
  const atClient = collect();
  const accepted = new Promise<Channel>((resolve) => {
    server = addon.listenChannel(path, uid, (channel) => {
      resolve(channel);
      return atServer.handlers;
    });
  });
  const client = addon.connectChannel(path, atClient.handlers);
  return { path, client, atClient, server: await accepted, atServer };
}

test('packets arrive whole and in order, with the peer named', async () => {
  const ends = await connect();
  expect(ends.server.peer).toEqual({ pid: process.pid, uid, gid: process.getgid?.() });
  for (let n = 0; n < 5; n += 1) ends.client.send(Buffer.from(`packet ${n}`));
  const got = await ends.atServer.received(5);
  expect(got.map((message) => message.text)).toEqual([0, 1, 2, 3, 4].map((n) => `packet ${n}`));
  ends.client.close();
  expect((await ends.atServer.closed()).error).toBeUndefined();
  expect((await ends.atClient.closed()).error).toBeUndefined();
});

test('descriptors are duplicated to the receiver and stay the sender`s', async () => {
  const ends = await connect();
  const mine = openSync(new URL(import.meta.url), 'r');
  ends.server.send(Buffer.from('file'), [mine, mine]);
  const [message] = await ends.atClient.received(1);
  expect(message?.descriptors).toHaveLength(2);
  for (const descriptor of message?.descriptors ?? []) {
    expect(fstatSync(descriptor).ino).toBe(fstatSync(mine).ino);
    expect(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')).toMatch(/flags:\s+02/);
    closeSync(descriptor);
  }
  closeSync(mine);
  ends.client.close();
  await ends.atServer.closed();
});

test('a full socket queues up to its bound, then throws, and delivers all that it took', async () => {
  const ends = await connect();
  const packet = Buffer.alloc(64 * 1024, 'x');
  let sent = 0;
  expect(() => {
    for (;;) {
      ends.client.send(packet);
      sent += 1;
    }
  }).toThrow(/1024 packets wait/);
  expect(sent).toBeGreaterThanOrEqual(1024);
  const got = await ends.atServer.received(sent);
  expect(got.every((message) => message.text.length === packet.length)).toBe(true);
  ends.server.close();
  await ends.atClient.closed();
});

/** By name: jest's realm has classes of its own, the addon throws node's. */
const named = (name: string) => expect.objectContaining({ name }) as Error;

test('what cannot be a packet is refused', async () => {
  const ends = await connect();
  expect(() => ends.client.send(Buffer.alloc(0))).toThrow(named('RangeError'));
  expect(() => ends.client.send(Buffer.alloc(128 * 1024 + 1))).toThrow(named('RangeError'));
  expect(() => ends.client.send('text' as unknown as Buffer)).toThrow(named('TypeError'));
  expect(() => ends.client.send(Buffer.from('x'), [-1])).toThrow(named('TypeError'));
  ends.client.close();
  expect(() => ends.client.send(Buffer.from('x'))).toThrow(/closed/);
  await ends.atServer.closed();
});

test('the socket file is its owner`s alone, is replaced where stale and removed at close', async () => {
  const ends = await connect();
  expect(statSync(ends.path).mode & 0o777).toBe(0o660);
  expect(() => addon.listenChannel(ends.path, uid, () => undefined)).toThrow(
    expect.objectContaining({ code: 'EADDRINUSE' }),
  );
  ends.client.close();
  await ends.atServer.closed();
  server?.close();
  expect(() => addon.connectChannel(ends.path, ends.atClient.handlers)).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  );
});

test('a refused peer sees the end', async () => {
  const path = join(folder, 'socket');
  server = addon.listenChannel(path, uid, () => undefined);
  const end = collect();
  addon.connectChannel(path, end.handlers);
  await end.closed();
});

test('a worker that ends takes its channels with it', async () => {
  const path = join(folder, 'socket');
  const atServer = collect();
  server = addon.listenChannel(path, uid, () => atServer.handlers);
  const source = `
    const { parentPort } = require('node:worker_threads');
    const addon = require(${JSON.stringify(addonPath)});
    addon.connectChannel(${JSON.stringify(path)}, { onMessage: () => {}, onClose: () => {} });
    addon.listenChannel(${JSON.stringify(`${path}-worker`)}, ${uid}, () => undefined);
    parentPort.postMessage('open');`;
  const worker = new Worker(source, { eval: true });
  await once(worker, 'message');
  await worker.terminate();
  expect((await atServer.closed()).error).toBeUndefined();
});
