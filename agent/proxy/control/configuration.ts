/** The configuration in force on the main thread: takes deltas of the controller, and what a run before had saved. */
import { applyDelta, type Refusal } from '../../../model/apply-delta.js';
import type { Delta, Problem, Resource, ResourceKind } from '../../../model/resource.js';
import { emptySnapshot, resourceId, type Snapshot } from '../../../model/snapshot.js';
import type { TransportPhase } from '../../../model/workload.js';

/** A delta as decoded from the wire. */
export interface IncomingDelta extends Delta {
  readonly snapshotVersion: number;
  /** Resources that could not even be read. */
  readonly refused: readonly RefusedResource[];
}

export interface RefusedResource {
  readonly kind: ResourceKind | 'unknown';
  readonly name: string;
  readonly version: string;
  readonly problems: readonly Problem[];
}

export interface ConfigurationEvents {
  /** A new snapshot is in force; `delta` leads every holder of the one before to it. */
  readonly onChange: (snapshot: Snapshot, delta: Delta) => void;
  readonly onRefused: (refused: RefusedResource) => void;
}

export class Configuration {
  readonly #events: ConfigurationEvents;
  #snapshot: Snapshot = emptySnapshot;

  constructor(events: ConfigurationEvents) {
    this.#events = events;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Versions of all that is in force. */
  held(): { readonly kind: ResourceKind; readonly name: string; readonly version: string }[] {
    return [...this.#snapshot.resources.values()].map(({ kind, name, version }) => ({ kind, name, version }));
  }

  /** Phases of the workloads that are in force, but for plaintext. */
  transports(): { readonly uid: string; readonly transport: TransportPhase }[] {
    return [...this.#snapshot.workloads.values()].flatMap(({ workload: { uid, transport } }) =>
      transport === 'plaintext' ? [] : [{ uid, transport }],
    );
  }

  resources(): Resource[] {
    return [...this.#snapshot.resources.values()];
  }

  /** Puts in force what can be; returns the rest with its problems. */
  apply(incoming: IncomingDelta): RefusedResource[] {
    const unread = incoming.refused
      .map((refused) => this.#closeUnread(refused))
      .filter((made) => made !== null);
    const delta: Delta = { removals: incoming.removals, upserts: [...incoming.upserts, ...unread] };
    const { snapshot, refusals } = applyDelta(this.#snapshot, delta, incoming.snapshotVersion);
    this.#snapshot = snapshot;
    this.#events.onChange(snapshot, delta);
    const refused = [...incoming.refused, ...refusals.map(refusedOf)];
    for (const one of refused) this.#events.onRefused(one);
    return refused;
  }

  /**
   * A policy that cannot be read and has no last good version closes what it might protect. That cannot be read either,
   * so it is its whole namespace.
   */
  #closeUnread({ kind, name, version, problems }: RefusedResource): Resource | null {
    const [namespace, policy] = name.split('/');
    const misnamed = problems.some(({ field }) => field === 'name' || field === 'ownerNamespace');
    if (kind !== 'authorization-policy' || !namespace || !policy || misnamed) return null;
    if (this.#snapshot.resources.has(resourceId(kind, name))) return null;
    return {
      kind,
      name,
      ownerNamespace: namespace,
      version,
      body: {
        namespace,
        name: policy,
        targets: [],
        action: 'DENY',
        mode: 'Enforce',
        requireAuthenticated: false,
        rules: [],
        broken: true,
      },
    };
  }
}

function refusedOf({ key, version, problems }: Refusal): RefusedResource {
  return { ...key, version, problems };
}
