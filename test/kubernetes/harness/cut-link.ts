/** A link to the API server that can be cut: connections through it end, and none is made until it is joined again. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

export class CutLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: URL;
  #cut = false;
  #left = Number.POSITIVE_INFINITY;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((near) => this.#accept(near));
  }

  /** A link to the cluster that a kubeconfig names, and the configuration to use it. */
  static async open(path: string): Promise<{ link: CutLink; config: KubeConfig }> {
    const config = new KubeConfig();
    config.loadFromString(readFileSync(path, 'utf8'));
    const [cluster] = config.clusters;
    const target = new URL(cluster?.server ?? '');
    const link = new CutLink(target);
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve));
    const { port } = link.#server.address() as AddressInfo;
    config.clusters = config.clusters.map((one) => ({
      ...one,
      server: `https://127.0.0.1:${port}`,
      tlsServerName: target.hostname,
    }));
    return { link, config };
  }

  /** Ends what there is and refuses what comes. */
  cut(): void {
    this.#cut = true;
    this.drop();
  }

  join(): void {
    this.#cut = false;
  }

  /** Ends what there is; new connections are made. */
  drop(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Ends what there is once so many more bytes have come from the API server, each time. */
  dropEvery(bytes: number, times: number): Promise<void> {
    return new Promise((resolve) => {
      let left = times;
      const again = () => {
        this.#left = left === 0 ? Number.POSITIVE_INFINITY : bytes;
        if (left === 0) resolve();
      };
      this.#onSpent = () => {
        left -= 1;
        this.drop();
        again();
      };
      again();
    });
  }

  #onSpent = () => {};

  get connections(): number {
    return this.#sockets.size / 2;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #accept(near: Socket): void {
    if (this.#cut) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(Number(this.#target.port), this.#target.hostname);
    far.on('data', (chunk: Buffer) => {
      this.#left -= chunk.length;
      if (this.#left <= 0) this.#onSpent();
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
