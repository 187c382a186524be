/**
 * One agent's stream, as a state machine without I/O: it is told what arrives and says what to send. One delta is
 * in flight at a time, so a slow agent gets the newest state next, not a queue of old ones.
 */

import type { Resource } from '../../model/resource.js';
import type { TransportPhase } from '../../model/workload.js';
import { type Detail, detailKey } from '../../model/workload-index.js';
import { decodeDetails } from '../../proto/decode-delta.js';
import { transportPhases } from '../../proto/decode-workload.js';
import { configProtocol } from '../../proto/load-config-service.js';
import type {
  ReceivedAgentMessage,
  ReceivedNodeReport,
  ReceivedRefusal,
  ResourceVersionMessage,
} from '../../proto/messages.js';
import type { DetailScope } from './detail-graph.js';
import { type NextDelta, nextDelta } from './next-delta.js';
import type { ResourceId } from './resource-id.js';
import type { OutgoingDelta } from './serialize-delta.js';
import { SharedTexts } from './shared-texts.js';
import type { NodeView } from './snapshot.js';

export type SessionState = 'awaiting-hello' | 'idle' | 'in-flight' | 'closed';

/** Why a stream is ended by the controller. */
export interface SessionFault {
  readonly code: 'INVALID_ARGUMENT' | 'FAILED_PRECONDITION';
  readonly message: string;
}

export interface SessionView {
  viewFor(node: string): NodeView;
  scopedViewFor(node: string, scope: DetailScope, since: DetailScope | null): NodeView;
  scopeOf(node: string, wants: Iterable<Detail>): DetailScope;
  goneHere(id: ResourceId): boolean;
}

interface InFlight {
  readonly nonce: number;
  readonly version: number;
  readonly complete: boolean;
  readonly scope: DetailScope | null;
}

const maxHeld = 500_000;
/** Details that one node may want; who asks for more is not served. */
const maxWants = 50_000;
/** Of one node. */
const maxReported = 10_000;
/** Ids and versions that agents hold: most of them hold most of these. */
const texts = new SharedTexts();

export class AgentSession {
  #state: SessionState = 'awaiting-hello';
  #node = '';
  #agentVersion = '';
  #held = new Map<ResourceId, string>();
  #transports: ReadonlyMap<string, TransportPhase> = new Map();
  #report: ReadonlyMap<string, boolean> | null = null;
  #refusals = new Map<ResourceId, ReceivedRefusal>();
  /** Versions that were sent a second time after a refusal. */
  readonly #retried = new Map<ResourceId, string>();
  #inFlight: InFlight | null = null;
  #nonce = 0;
  #ackedVersion = 0;
  /** The agent understands indices; others get everything. */
  #scoped = false;
  readonly #wants = new Map<string, Detail>();
  /** null: it must be found again. */
  #scope: DetailScope | null = null;
  #ackedScope: DetailScope | null = null;

  get state(): SessionState {
    return this.#state;
  }

  get node(): string {
    return this.#node;
  }

  get agentVersion(): string {
    return this.#agentVersion;
  }

  /**
   * Version of the last snapshot that the agent has in full, because it acknowledged it, or because nothing in it differs
   * for its node from one that it did; 0 before the first.
   */
  get ackedVersion(): number {
    return this.#ackedVersion;
  }

  /** Phases, by workload, that the agent held when it came. */
  get transports(): ReadonlyMap<string, TransportPhase> {
    return this.#transports;
  }

  /** How the node's workloads stand, by uid; true: captured, and the identity in force. null before the first report. */
  get report(): ReadonlyMap<string, boolean> | null {
    return this.#report;
  }

  /** What the agent refuses now. */
  get refusals(): readonly ReceivedRefusal[] {
    return [...this.#refusals.values()];
  }

  /** Takes a message in; a fault means that the stream must be ended. */
  receive(message: ReceivedAgentMessage): SessionFault | null {
    if (this.#state === 'closed') return null;
    if (message.hello) return this.#onHello(message.hello);
    if (message.ack) return this.#onAck(message.ack);
    if (message.report) return this.#onReport(message.report);
    if (message.wants) return this.#onWants(message.wants);
    return { code: 'INVALID_ARGUMENT', message: 'the message is neither hello, ack, report nor wants' };
  }

  /** Details that depend on these keys may be others now. */
  touch(keys: ReadonlySet<string>): void {
    for (const key of keys) {
      if (this.#scope?.keys.has(key) !== true) continue;
      this.#scope = null;
      return;
    }
  }

  close(): void {
    this.#state = 'closed';
  }

  /** The delta to send now, or null: nothing has changed for this node, or the last one is not acknowledged yet. */
  next(snapshot: SessionView): OutgoingDelta | null {
    if (this.#state !== 'idle') return null;
    if (this.#scoped) this.#scope ??= snapshot.scopeOf(this.#node, this.#wants.values());
    const scope = this.#scope;
    const view =
      scope === null
        ? snapshot.viewFor(this.#node)
        : snapshot.scopedViewFor(this.#node, scope, this.#ackedScope);
    if (view.version === this.#ackedVersion && scope === this.#ackedScope) return null;
    const delta = nextDelta(this.#held, view, {
      goneHere: (id) => snapshot.goneHere(id),
      since: this.#ackedVersion,
    });
    if (this.#hasAlready(delta, scope)) {
      this.#ackedVersion = view.version;
      return null;
    }
    this.#nonce += 1;
    this.#inFlight = { nonce: this.#nonce, version: view.version, complete: delta.complete, scope };
    this.#state = 'in-flight';
    return {
      nonce: this.#nonce,
      snapshotVersion: view.version,
      complete: delta.complete,
      scoped: this.#scoped,
      upserts: delta.upserts.map((resource) => this.#upsert(resource)),
      removals: delta.removals.map((id) => this.#remove(id)),
    };
  }

  /** Most versions change nothing for most nodes. An answer to hello or to wants is owed, though. */
  #hasAlready({ upserts, removals, complete }: NextDelta, scope: DetailScope | null): boolean {
    const empty = complete && upserts.length + removals.length === 0;
    return empty && this.#ackedVersion > 0 && scope === this.#ackedScope;
  }

  /**
   * Notes a refusal; true where the resource is worth another try: it may have been refused for what a later
   * resource of the same delta has changed since (an address that moved from one service to another).
   */
  #refuse(refusal: ReceivedRefusal): boolean {
    const id = `${refusal.kind} ${refusal.name}`;
    if (this.#held.get(id) !== refusal.version) return false;
    this.#refusals.set(id, refusal);
    if (this.#retried.get(id) === refusal.version) return false;
    this.#retried.set(id, refusal.version);
    this.#held.set(id, '');
    return true;
  }

  #upsert(resource: Resource): Resource {
    const id = texts.share(`${resource.kind} ${resource.name}`);
    this.#held.set(id, texts.share(resource.version));
    this.#refusals.delete(id);
    return resource;
  }

  #remove(id: ResourceId): ResourceVersionMessage {
    const version = this.#held.get(id) ?? '';
    this.#held.delete(id);
    this.#retried.delete(id);
    this.#refusals.delete(id);
    const space = id.indexOf(' ');
    return { kind: id.slice(0, space), name: id.slice(space + 1), version };
  }

  #onHello(hello: NonNullable<ReceivedAgentMessage['hello']>): SessionFault | null {
    if (this.#state !== 'awaiting-hello') return { code: 'INVALID_ARGUMENT', message: 'hello came twice' };
    if (hello.protocol !== configProtocol) {
      const message = `the agent speaks protocol ${hello.protocol}, this controller ${configProtocol}`;
      return { code: 'FAILED_PRECONDITION', message };
    }
    if (!/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(hello.node)) {
      return { code: 'INVALID_ARGUMENT', message: 'hello.node is no DNS name' };
    }
    if (hello.held.length > maxHeld || hello.transports.length > maxHeld || hello.wants.length > maxWants) {
      return { code: 'INVALID_ARGUMENT', message: 'hello.held, hello.transports or hello.wants is too long' };
    }
    this.#scoped = hello.scoped;
    for (const detail of decodeDetails(hello.wants)) this.#wants.set(detailKey(detail), detail);
    this.#node = hello.node;
    this.#agentVersion = hello.agentVersion.slice(0, 100);
    this.#held = new Map(
      hello.held.map(({ kind, name, version }) => [texts.share(`${kind} ${name}`), texts.share(version)]),
    );
    this.#transports = new Map(
      hello.transports.flatMap(({ uid, transport }) => {
        const phase = transportPhases.find((known) => known === transport);
        return phase === undefined ? [] : [[uid, phase] as const];
      }),
    );
    this.#state = 'idle';
    return null;
  }

  #onReport({ workloads }: ReceivedNodeReport): SessionFault | null {
    if (this.#state === 'awaiting-hello') {
      return { code: 'INVALID_ARGUMENT', message: 'a report came before hello' };
    }
    if (workloads.length > maxReported)
      return { code: 'INVALID_ARGUMENT', message: 'the report is too long' };
    this.#report = new Map(
      workloads.map(({ uid, captured, identityReady }) => [uid, captured && identityReady]),
    );
    return null;
  }

  #onWants({ added, removed }: NonNullable<ReceivedAgentMessage['wants']>): SessionFault | null {
    if (!this.#scoped) return { code: 'INVALID_ARGUMENT', message: 'wants came without hello.scoped' };
    for (const detail of decodeDetails(removed)) this.#wants.delete(detailKey(detail));
    for (const detail of decodeDetails(added)) this.#wants.set(detailKey(detail), detail);
    if (this.#wants.size > maxWants)
      return { code: 'INVALID_ARGUMENT', message: 'too many details are wanted' };
    this.#scope = null;
    return null;
  }

  #onAck(ack: NonNullable<ReceivedAgentMessage['ack']>): SessionFault | null {
    const inFlight = this.#inFlight;
    if (this.#state !== 'in-flight' || inFlight === null || inFlight.nonce !== ack.nonce) {
      return { code: 'INVALID_ARGUMENT', message: `ack ${ack.nonce} fits no delta in flight` };
    }
    const again = ack.refusals.filter((refusal) => this.#refuse(refusal)).length > 0;
    if (inFlight.complete && !again) {
      this.#ackedVersion = inFlight.version;
      this.#ackedScope = inFlight.scope;
    }
    this.#inFlight = null;
    this.#state = 'idle';
    return null;
  }
}
