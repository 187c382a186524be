/** ConfigService over gRPC: moves messages between streams and sessions, and keeps time limits. */
import {
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadConfigService } from '../../proto/load-config-service.js';
import type { ReceivedAgentMessage } from '../../proto/messages.js';
import { type AuthenticateNode, type NodeProof, trustNobody } from '../authority/authenticate-node.js';
import type { Refused } from '../authority/refusal.js';
import { statusOf } from '../authority/refusal-status.js';
import type { Log } from '../status/log.js';
import { AgentSession } from './agent-session.js';
import type { Publisher } from './publisher.js';
import { type OutgoingDelta, shareBytes } from './serialize-delta.js';
import { StartGate } from './start-gate.js';

const maxSessions = 5000;

/** An agent that does not keep these is told so by the end of its stream, and may come again. */
export interface StreamTimes {
  /** From the stream's beginning to hello. */
  readonly helloMs: number;
  /** From a delta to its acknowledgement. */
  readonly ackMs: number;
}

const streamTimes: StreamTimes = { helloMs: 10_000, ackMs: 60_000 };

type AgentStream = ServerDuplexStream<ReceivedAgentMessage, OutgoingDelta>;
type EndStream = (code: number, message: string) => void;

export interface ConfigServerEvents {
  /** An agent has said something, or came or went. */
  readonly onAgentChange: () => void;
  /** False: agents must go to another replica. */
  readonly mayServe: () => boolean;
  /** Before the agent's first delta, which waits for what is returned. */
  readonly onCome: (session: AgentSession) => Promise<void> | undefined;
  readonly onGone: (session: AgentSession) => void;
  /** It has another version in full. */
  readonly onAcked: (session: AgentSession) => void;
  readonly onReport: (session: AgentSession) => void;
  /** An agent did not prove the node that it names. */
  readonly onRefused: (node: string, refusal: Refused) => void;
}

/** A service, for any number of listeners. */
export interface AddedService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

export class ConfigServer {
  readonly #publisher: Publisher;
  readonly #log: Log;
  readonly #events: ConfigServerEvents;
  readonly #times: StreamTimes;
  readonly #open = new Map<AgentSession, EndStream>();
  readonly #gate = new StartGate<AgentSession>();
  /** They get no delta yet. */
  readonly #waiting = new WeakSet<AgentSession>();
  readonly #definition: ServiceDefinition = shareBytes(loadConfigService().definition);

  constructor(publisher: Publisher, log: Log, events: ConfigServerEvents, times: StreamTimes = streamTimes) {
    this.#times = times;
    this.#publisher = publisher;
    this.#log = log;
    this.#events = events;
  }

  /** The service as a listener offers it that tells nodes apart in this way. */
  service(authenticate: AuthenticateNode): AddedService {
    return {
      definition: this.#definition,
      handlers: {
        Stream: (stream: AgentStream) => {
          // Who can prove nothing does not get so far as to say hello.
          if (authenticate === trustNobody) this.#refuse(stream, '', authenticate(stream, ''));
          else this.#serve(stream, authenticate);
        },
      },
    };
  }

  /** Ends all streams; agents go on with what they hold, and come again: to another replica, where there is one. */
  endAll(why: string): void {
    for (const end of this.#open.values()) end(status.UNAVAILABLE, why);
  }

  #serve(stream: AgentStream, authenticate: AuthenticateNode): void {
    if (!this.#events.mayServe()) {
      endStream(stream, status.UNAVAILABLE, 'this replica is out of touch with the one that decides');
      return;
    }
    if (this.#open.size >= maxSessions) {
      endStream(stream, status.RESOURCE_EXHAUSTED, 'too many agents');
      return;
    }
    const session = new AgentSession();
    let deadline = setTimeout(() => end(status.DEADLINE_EXCEEDED, 'no hello came'), this.#times.helloMs);
    const close = () => {
      clearTimeout(deadline);
      session.close();
      this.#gate.leave(session);
      if (this.#open.delete(session) && session.node !== '') {
        this.#publisher.remove(session);
        this.#events.onGone(session);
      }
      this.#events.onAgentChange();
    };
    const end: EndStream = (code, message) => {
      this.#log.warn('ended the stream of an agent', { node: session.node, reason: message });
      close();
      endStream(stream, code, message);
    };
    const wake = () => {
      const isReady = this.#publisher.snapshot !== null && session.state === 'idle';
      if (!isReady || this.#waiting.has(session) || !this.#gate.enter(session, wake)) return;
      const held = session.ackedVersion;
      const delta = session.next(this.#publisher);
      if (session.ackedVersion !== held) this.#events.onAcked(session);
      if (delta === null) return;
      clearTimeout(deadline);
      deadline = setTimeout(
        () => end(status.DEADLINE_EXCEEDED, 'a delta was not acknowledged'),
        this.#times.ackMs,
      );
      stream.write(delta);
    };
    this.#open.set(session, end);
    stream.on('data', (message: ReceivedAgentMessage) => {
      const node = message.hello?.node;
      if (node !== undefined && this.#refuse(stream, node, authenticate(stream, node))) close();
      else this.#receive(session, message, wake, end, () => clearTimeout(deadline));
    });
    stream.on('end', () => {
      close();
      stream.end();
    });
    stream.on('cancelled', close);
    stream.on('error', close);
  }

  /** Ends the stream of an agent that does not prove its node; false where it does. */
  #refuse(stream: AgentStream, node: string, proof: NodeProof): boolean {
    if (proof.ok) return false;
    this.#events.onRefused(node, proof);
    stream.emit('error', statusOf(proof));
    return true;
  }

  #receive(
    session: AgentSession,
    message: ReceivedAgentMessage,
    wake: () => void,
    end: EndStream,
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
      this.#welcome(session, wake);
      this.#publisher.add(session, wake);
      this.#log.info('an agent has come', { node: session.node, agentVersion: session.agentVersion });
    }
    for (const refusal of message.ack?.refusals ?? []) {
      const { kind, name, version, problems } = refusal;
      this.#log.warn('an agent refused a resource', { node: session.node, kind, name, version, problems });
    }
    if (message.ack) this.#events.onAcked(session);
    if (session.ackedVersion > 0) this.#gate.leave(session);
    if (message.report) this.#events.onReport(session);
    wake();
    this.#events.onAgentChange();
  }

  #welcome(session: AgentSession, wake: () => void): void {
    const welcome = this.#events.onCome(session);
    if (welcome === undefined) return;
    this.#waiting.add(session);
    void welcome.then(() => {
      this.#waiting.delete(session);
      wake();
    });
  }
}

function endStream(stream: AgentStream, code: number, details: string): void {
  stream.emit('error', { code, details });
}
