/** What is published at one version: an immutable view of all resources, one per node. */
import type { Resource, ResourceKey } from '../../model/resource.js';
import { makeResource } from '../resources/build-resources.js';

/** A resource's kind and name as one text. */
export type ResourceId = string;

export function resourceId({ kind, name }: ResourceKey): ResourceId {
  return `${kind} ${name}`;
}

/** What one node gets. */
export interface NodeView {
  readonly version: number;
  /** True: this controller has never understood everything, so what it does not hold is not surely gone. */
  readonly incomplete: boolean;
  get(id: ResourceId): Resource | undefined;
  /** All resources, in the order in which they must travel. */
  ids(): Iterable<ResourceId>;
  /** What may differ from the view at an earlier version; null where that is not known any more. */
  changedSince(version: number): Iterable<ResourceId> | null;
}

/** Policies travel before what they protect, so that an agent never serves a workload without them. */
const order: readonly Resource['kind'][] = [
  'mesh',
  'authorization-policy',
  'workload',
  'service',
  'endpoints',
  'http-route',
  'grpc-route',
];

export class Snapshot {
  readonly version: number;
  readonly incomplete: boolean;
  readonly resources: ReadonlyMap<ResourceId, Resource>;
  /** Workloads as other nodes see them: how its own node captures one is no concern of theirs. */
  readonly #foreign: ReadonlyMap<ResourceId, Resource>;
  readonly #previousVersion: number;
  /** What is new, changed or gone since the previous version; null: everything may be. */
  readonly #changed: readonly ResourceId[] | null;

  /** `previous` lends unchanged resources, so that equal versions are the same objects. */
  constructor(version: number, resources: readonly Resource[], incomplete: boolean, previous?: Snapshot) {
    this.version = version;
    this.incomplete = incomplete;
    const own = new Map<ResourceId, Resource>();
    const foreign = new Map<ResourceId, Resource>();
    const changed: ResourceId[] = [];
    for (const resource of [...resources].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))) {
      const id = resourceId(resource);
      const known = previous?.resources.get(id);
      const same = known !== undefined && known.version === resource.version;
      const kept = same ? known : resource;
      if (!same) changed.push(id);
      own.set(id, kept);
      if (kept.kind !== 'workload' || kept.body.capture === null) continue;
      const lent = same && previous !== undefined ? previous.#foreign.get(id) : undefined;
      foreign.set(id, lent ?? hideCapture(kept));
    }
    for (const id of previous?.resources.keys() ?? []) if (!own.has(id)) changed.push(id);
    this.resources = own;
    this.#foreign = foreign;
    this.#previousVersion = previous?.version ?? 0;
    // While something is unknown, and once it is known, what agents hold must be compared as a whole.
    this.#changed = previous === undefined || incomplete || previous.incomplete ? null : changed;
  }

  /** Whether this snapshot holds the same as the previous one that it was made with. */
  equals(previous: Snapshot): boolean {
    if (this.resources.size !== previous.resources.size || this.incomplete !== previous.incomplete)
      return false;
    for (const [id, resource] of this.resources) if (previous.resources.get(id) !== resource) return false;
    return true;
  }

  viewFor(node: string): NodeView {
    const get = (id: ResourceId): Resource | undefined => {
      const resource = this.resources.get(id);
      const ours = resource?.kind !== 'workload' || resource.body.node === node;
      return ours ? resource : (this.#foreign.get(id) ?? resource);
    };
    return {
      version: this.version,
      incomplete: this.incomplete,
      get,
      ids: () => this.resources.keys(),
      changedSince: (version) => (version === this.#previousVersion ? this.#changed : null),
    };
  }
}

function hideCapture(resource: Resource & { readonly kind: 'workload' }): Resource {
  const { kind, name, ownerNamespace, body } = resource;
  return makeResource(kind, name, ownerNamespace, { ...body, capture: null });
}
