/** Serves ConfigService over gRPC: moves messages between streams and sessions, and keeps time limits. */
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadConfigService, maxMessageBytes } from '../../proto/load-config-service.js';
import type { DeltaMessage, ReceivedAgentMessage } from '../../proto/messages.js';
import type { Log } from '../status/log.js';
import { AgentSession } from './agent-session.js';
import type { Publisher } from './publisher.js';

const maxSessions = 5000;

/** An agent that does not keep these is told so by the end of its stream, and may come again. */
export interface StreamTimes {
  /** From the stream's beginning to hello. */
  readonly helloMs: number;
  /** From a delta to its acknowledgement. */
  readonly ackMs: number;
}

const streamTimes: StreamTimes = { helloMs: 10_000, ackMs: 60_000 };

type AgentStream = ServerDuplexStream<ReceivedAgentMessage, DeltaMessage>;

export interface ConfigServerEvents {
  /** An agent has said something, or came or went. */
  readonly onAgentChange: () => void;
  /** Before the agent's first delta. */
  readonly onCome: (session: AgentSession) => void;
  readonly onGone: (session: AgentSession) => void;
  readonly onAcked: (session: AgentSession) => void;
  readonly onReport: (session: AgentSession) => void;
}

/** Another service on the same listener. */
export interface AddedService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

export class ConfigServer {
  readonly #publisher: Publisher;
  readonly #log: Log;
  readonly #events: ConfigServerEvents;
  readonly #times: StreamTimes;
  readonly #server: Server;
  readonly #open = new Map<AgentSession, (code: number, message: string) => void>();

  constructor(publisher: Publisher, log: Log, events: ConfigServerEvents, times: StreamTimes = streamTimes) {
    this.#times = times;
    this.#publisher = publisher;
    this.#log = log;
    this.#events = events;
    this.#server = new Server({
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
    });
    this.#server.addService(loadConfigService().definition, {
      Stream: (stream: AgentStream) => this.#serve(stream),
    });
  }

  /** Serves another service on the same listener; call it before {@link listen}. */
  add({ definition, handlers }: AddedService): void {
    this.#server.addService(definition, handlers);
  }

  /** Binds; `address` is `unix:/path` or `host:port`. Returns the port, 0 for a Unix socket. */
  listen(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else
          reject(new Error(`cannot listen on ${address}; is another controller running?`, { cause: error }));
      });
    });
  }

  /** Ends all streams; agents go on with what they hold. */
  stop(): void {
    for (const end of this.#open.values()) end(status.UNAVAILABLE, 'the controller is stopping');
    this.#server.forceShutdown();
  }

  #serve(stream: AgentStream): void {
    if (this.#open.size >= maxSessions) {
      endStream(stream, status.RESOURCE_EXHAUSTED, 'too many agents');
      return;
    }
    const session = new AgentSession();
    let deadline = setTimeout(() => end(status.DEADLINE_EXCEEDED, 'no hello came'), this.#times.helloMs);
    const close = () => {
      clearTimeout(deadline);
      session.close();
      if (this.#open.delete(session) && session.node !== '') {
        this.#publisher.remove(session);
        this.#events.onGone(session);
      }
      this.#events.onAgentChange();
    };
    const end = (code: number, message: string) => {
      this.#log.warn('ended the stream of an agent', { node: session.node, reason: message });
      close();
      endStream(stream, code, message);
    };
    const wake = () => {
      const delta = this.#publisher.snapshot === null ? null : session.next(this.#publisher);
      if (delta === null) return;
      clearTimeout(deadline);
      deadline = setTimeout(
        () => end(status.DEADLINE_EXCEEDED, 'a delta was not acknowledged'),
        this.#times.ackMs,
      );
      stream.write(delta);
    };
    this.#open.set(session, end);
    stream.on('data', (message: ReceivedAgentMessage) =>
      this.#receive(session, message, wake, end, () => clearTimeout(deadline)),
    );
    stream.on('end', () => {
      close();
      stream.end();
    });
    stream.on('cancelled', close);
    stream.on('error', close);
  }

  #receive(
    session: AgentSession,
    message: ReceivedAgentMessage,
    wake: () => void,
    end: (code: number, message: string) => void,
    inTime: () => void,
  ): void {
    const fault = session.receive(message);
    if (fault !== null) {
      end(status[fault.code], fault.message);
      return;
    }
    inTime();
    if (message.hello) {
      const other = this.#publisher.otherSessionOf(session);
      if (other !== undefined) this.#open.get(other)?.(status.ABORTED, 'another agent of this node has come');
      this.#events.onCome(session);
      this.#publisher.add(session, wake);
      this.#log.info('an agent has come', { node: session.node, agentVersion: session.agentVersion });
    }
    for (const refusal of message.ack?.refusals ?? []) {
      const { kind, name, version, problems } = refusal;
      this.#log.warn('an agent refused a resource', { node: session.node, kind, name, version, problems });
    }
    if (message.ack) this.#events.onAcked(session);
    if (message.report) this.#events.onReport(session);
    wake();
    this.#events.onAgentChange();
  }
}

function endStream(stream: AgentStream, code: number, details: string): void {
  stream.emit('error', { code, details });
}
