/** Holds what is published and the agents that get it. */
import type { Detail } from '../../model/workload-index.js';
import type { ReceivedRefusal } from '../../proto/messages.js';
import type { AgentSession } from './agent-session.js';
import { DetailGraph, type DetailScope } from './detail-graph.js';
import type { ResourceId } from './resource-id.js';
import { type EndpointScope, noScopes } from './scope-endpoints.js';
import { type Changes, type NodeView, Snapshot } from './snapshot.js';

/** How one node stands. */
export interface NodeStatus {
  readonly node: string;
  readonly connected: boolean;
  readonly agentVersion: string;
  readonly ackedVersion: number;
  readonly refusals: readonly ReceivedRefusal[];
}

export interface PublishedChanges {
  readonly resources: Changes;
  /** By service, as far as they changed; undefined: its endpoints are for everybody. */
  readonly scopes?: ReadonlyMap<string, EndpointScope | undefined>;
  /** Zones of all nodes; null: as before. */
  readonly zones?: ReadonlyMap<string, string> | null;
}

/** Nodes that went away are remembered up to so many. */
const maxGoneNodes = 1000;
const maxGoneResources = 200_000;

export class Publisher {
  #snapshot: Snapshot | null = null;
  readonly #sessions = new Map<AgentSession, () => void>();
  readonly #goneNodes = new Map<string, NodeStatus>();
  readonly #goneResources = new Set<ResourceId>();
  readonly #graph = new DetailGraph();
  readonly #scopes = { services: new Map<string, EndpointScope>(), zones: noScopes.zones };

  /** null until the source has told all that it holds. */
  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  /** null before the first configuration. */
  get trustDomain(): string | null {
    const mesh = this.#snapshot?.resources.get('mesh mesh');
    return mesh?.kind === 'mesh' ? mesh.body.trustDomain : null;
  }

  viewFor(node: string): NodeView {
    return this.#published.viewFor(node);
  }

  scopedViewFor(node: string, scope: DetailScope, since: DetailScope | null): NodeView {
    return this.#published.scopedViewFor(node, scope, since);
  }

  scopeOf(node: string, wants: Iterable<Detail>): DetailScope {
    return this.#graph.scopeOf(node, wants);
  }

  get #published(): Snapshot {
    if (this.#snapshot === null) throw new Error('nothing is published yet');
    return this.#snapshot;
  }

  goneHere(id: ResourceId): boolean {
    return this.#goneResources.has(id);
  }

  /** Publishes what has changed; returns false where nothing differs from before. `nowMs` is wall-clock time. */
  publish(changes: PublishedChanges, incomplete: boolean, nowMs: number): boolean {
    const previous = this.#snapshot;
    this.#takeScopes(changes);
    // Versions grow over restarts too, without any state of their own, because clocks do.
    const version = Math.max((previous?.version ?? 0) + 1, Math.floor(nowMs));
    const next =
      previous === null
        ? Snapshot.first(version, changes.resources, incomplete, this.#scopes)
        : previous.next(version, changes.resources, incomplete);
    if (next.changed.length === 0 && next.incomplete === previous?.incomplete) return false;
    this.#snapshot = next;
    const touched = new Set<string>();
    for (const id of next.changed) {
      const [before, after] = [previous?.resources.get(id), next.resources.get(id)];
      if (before === undefined && after === undefined) continue;
      if (after === undefined) this.#noteGone(id);
      else this.#goneResources.delete(id);
      this.#graph.replace(before, after, touched);
    }
    for (const session of this.#sessions.keys()) session.touch(touched);
    for (const wake of this.#sessions.values()) wake();
    return true;
  }

  #takeScopes({ scopes, zones }: PublishedChanges): void {
    for (const [service, scope] of scopes ?? []) {
      if (scope === undefined) this.#scopes.services.delete(service);
      else this.#scopes.services.set(service, scope);
    }
    if (zones) this.#scopes.zones = zones;
  }

  /** `wake` is called whenever there may be something to send. */
  add(session: AgentSession, wake: () => void): void {
    this.#sessions.set(session, wake);
  }

  remove(session: AgentSession): void {
    this.#sessions.delete(session);
    if (session.node === '') return;
    this.#goneNodes.delete(session.node);
    this.#goneNodes.set(session.node, { ...statusOf(session), connected: false });
    for (const node of this.#goneNodes.keys()) {
      if (this.#goneNodes.size <= maxGoneNodes) break;
      this.#goneNodes.delete(node);
    }
  }

  /** Another open stream of the same node: of an agent that has just been replaced, as a rule. */
  otherSessionOf(session: AgentSession): AgentSession | undefined {
    return [...this.#sessions.keys()].find((other) => other !== session && other.node === session.node);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Nodes by name, the connected ones and those that were. */
  nodes(): NodeStatus[] {
    const nodes = new Map(this.#goneNodes);
    for (const session of this.#sessions.keys()) {
      if (session.node !== '') nodes.set(session.node, statusOf(session));
    }
    return [...nodes.values()].sort((left, right) => (left.node < right.node ? -1 : 1));
  }

  #noteGone(id: ResourceId): void {
    this.#goneResources.add(id);
    for (const oldest of this.#goneResources) {
      if (this.#goneResources.size <= maxGoneResources) break;
      this.#goneResources.delete(oldest);
    }
  }
}

function statusOf(session: AgentSession): NodeStatus {
  const { node, agentVersion, ackedVersion, refusals } = session;
  return { node, connected: true, agentVersion, ackedVersion, refusals };
}
