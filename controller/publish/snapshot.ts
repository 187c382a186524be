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
  readonly resources: ReadonlyMap<ResourceId, Resource>;
  /** True: this controller has never understood everything, so what it does not hold is not surely gone. */
  readonly incomplete: boolean;
}

/** Policies travel before what they protect, so that an agent never serves a workload without them. */
const order: readonly Resource['kind'][] = [
  'mesh',
  'authorization-policy',
  'workload',
  'service',
  'endpoints',
  'http-route',
];

export class Snapshot {
  readonly version: number;
  readonly incomplete: boolean;
  readonly resources: ReadonlyMap<ResourceId, Resource>;
  /** As other nodes see a workload: how its own node captures it is no concern of theirs. */
  readonly #foreign: ReadonlyMap<ResourceId, Resource>;
  readonly #views = new Map<string, NodeView>();

  /** `previous` lends unchanged resources, so that equal versions are the same objects. */
  constructor(version: number, resources: readonly Resource[], incomplete: boolean, previous?: Snapshot) {
    this.version = version;
    this.incomplete = incomplete;
    const sorted = [...resources].sort((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind));
    const own = new Map<ResourceId, Resource>();
    const foreign = new Map<ResourceId, Resource>();
    for (const resource of sorted) {
      const id = resourceId(resource);
      const known = previous?.resources.get(id);
      const kept = known?.version === resource.version ? known : resource;
      own.set(id, kept);
      const shared = previous === undefined || kept !== known ? undefined : previous.#foreign.get(id);
      foreign.set(id, shared ?? hideCapture(kept));
    }
    this.resources = own;
    this.#foreign = foreign;
  }

  /** Whether both hold the same, so that publishing the other changes nothing. */
  equals(other: Snapshot): boolean {
    if (this.resources.size !== other.resources.size || this.incomplete !== other.incomplete) return false;
    for (const [id, resource] of this.resources) {
      if (other.resources.get(id)?.version !== resource.version) return false;
    }
    return true;
  }

  viewFor(node: string): NodeView {
    const known = this.#views.get(node);
    if (known !== undefined) return known;
    const resources = new Map(this.#foreign);
    for (const [id, resource] of this.resources) {
      if (resource.kind === 'workload' && resource.body.node === node) resources.set(id, resource);
    }
    const view = { version: this.version, resources, incomplete: this.incomplete };
    this.#views.set(node, view);
    return view;
  }
}

function hideCapture(resource: Resource): Resource {
  if (resource.kind !== 'workload' || resource.body.capture === null) return resource;
  const { kind, name, ownerNamespace, body } = resource;
  return makeResource(kind, name, ownerNamespace, { ...body, capture: null });
}
