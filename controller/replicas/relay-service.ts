/** The holder's side of the relay: other replicas come, say what their nodes say, and hear what is decided. */
import { type ServerDuplexStream, type ServiceDefinition, status } from '@grpc/grpc-js';
import { loadReplicaService } from '../../proto/load-replica-service.js';
import type { HolderWireMessage, ReceivedReplicaMessage } from '../../proto/messages.js';
import type { AddedService } from '../publish/config-server.js';
import { describeError, type Log } from '../status/log.js';
import type { HolderMessage, ReplicaMessage } from '../transport/phase-news.js';
import { decodeFromReplica, encodeForReplica, type NodeStanding } from './replica-messages.js';

export interface RelayServiceEvents {
  /** False: this controller decides nothing. `send` answers. */
  readonly onMessage: (
    replica: string,
    message: ReplicaMessage,
    send: (message: HolderMessage) => void,
  ) => boolean;
  readonly onStanding: (replica: string, standing: NodeStanding) => void;
  readonly onGone: (replica: string) => void;
}

type RelayStream = ServerDuplexStream<ReceivedReplicaMessage, HolderWireMessage>;

const maxReplicas = 64;

export class RelayService {
  readonly #events: RelayServiceEvents;
  readonly #log: Log;
  /** By a name that no other stream has had. */
  readonly #open = new Map<string, (why: string) => void>();
  #count = 0;

  constructor(events: RelayServiceEvents, log: Log) {
    this.#events = events;
    this.#log = log;
  }

  get service(): AddedService {
    const definition = loadReplicaService().definition as unknown as ServiceDefinition;
    return { definition, handlers: { Relay: (stream: RelayStream) => this.#serve(stream) } };
  }

  /** Replicas that are connected. */
  get size(): number {
    return this.#open.size;
  }

  /** Sends all replicas away. */
  end(why: string): void {
    for (const end of this.#open.values()) end(why);
  }

  #serve(stream: RelayStream): void {
    if (this.#open.size >= maxReplicas) {
      stream.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many replicas' });
      return;
    }
    this.#count += 1;
    const replica = `${stream.getPeer()}#${this.#count}`;
    const close = () => {
      if (!this.#open.delete(replica)) return;
      this.#events.onGone(replica);
      this.#log.info('a replica has gone', { replica });
    };
    const end = (why: string, code = status.UNAVAILABLE) => {
      close();
      stream.emit('error', { code, details: why });
    };
    this.#open.set(replica, end);
    this.#log.info('a replica has come', { replica });
    const send = (message: HolderMessage) => void stream.write(encodeForReplica(message));
    stream.on('data', (message: ReceivedReplicaMessage) => {
      if (!this.#open.has(replica)) return;
      try {
        const read = decodeFromReplica(message);
        if (!('type' in read)) this.#events.onStanding(replica, read);
        else if (!this.#events.onMessage(replica, read, send)) end('this replica does not hold the lease');
      } catch (error) {
        end(describeError(error), status.INVALID_ARGUMENT);
      }
    });
    stream.on('end', () => {
      close();
      stream.end();
    });
    for (const event of ['cancelled', 'error', 'close'] as const) stream.on(event, close);
  }
}
