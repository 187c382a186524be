/**
 * The gRPC channel that this node's configuration comes by. What is asked over it is asked of the same controller, which
 * knows all that it has told; another replica may hear of a new pod later.
 */
import type { Client } from '@grpc/grpc-js';

export type Channel = ReturnType<Client['getChannel']>;

export class ConfigChannel {
  #current: Channel | undefined;

  /** undefined while no stream is answered. */
  get current(): Channel | undefined {
    return this.#current;
  }

  answered(channel: Channel): void {
    this.#current = channel;
  }

  ended(channel: Channel): void {
    if (this.#current === channel) this.#current = undefined;
  }
}
