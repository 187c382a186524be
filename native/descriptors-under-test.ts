/**
 * For tests: descriptors as the engine gets them from capture, without capture. A small python process makes sockets
 * and sends them over a channel; node itself cannot make a socket that is not connected yet.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Channel, ChannelFunctions } from './channel.js';

const script = `
import socket, sys
channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
channel.connect(sys.argv[1])
while True:
    order = channel.recv(100).decode()
    if not order: break
    kind, family, count = order.split()
    family = socket.AF_INET if family == '4' else socket.AF_INET6
    made = [socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(int(count))]
    if kind == 'listen':
        for each in made:
            each.bind(('127.0.0.1' if family == socket.AF_INET else '::1', 0))
            each.listen(4096)
    ports = ' '.join(str(each.getsockname()[1]) for each in made)
    socket.send_fds(channel, [ports.encode() or b'-'], [each.fileno() for each in made])
    for each in made: each.close()
`;

export interface Made {
  readonly descriptors: number[];
  /** 0 for sockets that do not listen. */
  readonly ports: number[];
}

/** Makes sockets on request, in order. */
export class SocketMaker {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #channel: Channel;
  readonly #waiting: ((made: Made) => void)[];
  readonly #closeServer: () => void;

  private constructor(
    folder: string,
    child: ChildProcess,
    channel: Channel,
    waiting: ((made: Made) => void)[],
    closeServer: () => void,
  ) {
    this.#folder = folder;
    this.#child = child;
    this.#channel = channel;
    this.#waiting = waiting;
    this.#closeServer = closeServer;
  }

  static start(functions: ChannelFunctions): Promise<SocketMaker> {
    const folder = mkdtempSync(join(tmpdir(), 'weft-engine-test-'));
    const path = join(folder, 'channel');
    const waiting: ((made: Made) => void)[] = [];
    return new Promise((resolve, reject) => {
      const server = functions.listenChannel(path, process.getuid?.() ?? 0, (channel) => {
        resolve(new SocketMaker(folder, child, channel, waiting, () => server.close()));
        return {
          onMessage: (message, descriptors) =>
            waiting.shift()?.({ descriptors, ports: message.toString().split(' ').map(Number) }),
          onClose: () => undefined,
        };
      });
      const child = spawn('python3', ['-c', script, path], { stdio: ['ignore', 'inherit', 'inherit'] });
      child.once('error', reject);
    });
  }

  /** In packets of 200: one holds 253 descriptors at most. */
  async sockets(family: 4 | 6, count: number): Promise<Made> {
    const sizes = Array.from({ length: Math.ceil(count / 200) }, (_, i) => Math.min(200, count - 200 * i));
    const made = await Promise.all(sizes.map((size) => this.#order(`socket ${family} ${size}`)));
    return {
      descriptors: made.flatMap((each) => each.descriptors),
      ports: made.flatMap((each) => each.ports),
    };
  }

  async listener(family: 4 | 6 = 4): Promise<{ descriptor: number; port: number }> {
    const { descriptors, ports } = await this.#order(`listen ${family} 1`);
    return { descriptor: descriptors[0] as number, port: ports[0] as number };
  }

  close(): void {
    this.#channel.close();
    this.#closeServer();
    this.#child.kill();
    rmSync(this.#folder, { recursive: true });
  }

  #order(text: string): Promise<Made> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#channel.send(Buffer.from(text));
    });
  }
}
