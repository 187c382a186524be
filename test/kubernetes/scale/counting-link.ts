/** A way to a Unix socket that counts the bytes that come back. */
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class CountingLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes from the far side. */
  received = 0;

  private constructor(target: string) {
    this.#server = createServer((near) => {
      const far = connect(target);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => this.#sockets.delete(socket));
      }
      far.on('data', (chunk: Buffer) => {
        this.received += chunk.length;
      });
      near.pipe(far);
      far.pipe(near);
    });
  }

  static async open(path: string, target: string): Promise<CountingLink> {
    rmSync(path, { force: true });
    const link = new CountingLink(target);
    await new Promise<void>((resolve) => link.#server.listen(path, resolve));
    return link;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
