/** How nodes stand at all replicas: each replica tells the holder of its own, and the holder puts them together. */
import type { NodeStatus } from '../publish/publisher.js';
import type { NodeStanding } from './replica-messages.js';

/** On the holder: what other replicas have told. */
export class NodeStandings {
  readonly #told = new Map<string, Map<string, NodeStanding>>();

  put(replica: string, standing: NodeStanding): void {
    const nodes = this.#told.get(replica) ?? new Map<string, NodeStanding>();
    nodes.set(standing.node, standing);
    this.#told.set(replica, nodes);
  }

  /** Its nodes come to others. */
  drop(replica: string): void {
    this.#told.delete(replica);
  }

  clear(): void {
    this.#told.clear();
  }

  /** Nodes by name, those of this controller and of all others. `version`: of what this controller publishes. */
  all(own: readonly NodeStatus[], version: number): NodeStatus[] {
    const nodes = new Map(own.map((status) => [status.node, status]));
    for (const told of this.#told.values()) {
      for (const { reached, ...standing } of told.values()) {
        const known = nodes.get(standing.node);
        if (known !== undefined && (known.connected || !standing.connected)) continue;
        nodes.set(standing.node, { ...standing, ackedVersion: reached ? version : 0 });
      }
    }
    return [...nodes.values()].sort((left, right) => (left.node < right.node ? -1 : 1));
  }
}

/** On every other replica: what the holder has been told. */
export class ToldStandings {
  #told = new Map<string, string>();

  /** The holder is another one. */
  reset(): void {
    this.#told.clear();
  }

  /** What has changed since the last time. */
  news(own: readonly NodeStatus[], version: number): NodeStanding[] {
    const standings = own.map(({ ackedVersion, ...rest }) => ({
      ...rest,
      reached: ackedVersion === version,
    }));
    const changed = standings.filter((one) => this.#told.get(one.node) !== JSON.stringify(one));
    for (const one of changed) this.#told.set(one.node, JSON.stringify(one));
    return changed;
  }
}
