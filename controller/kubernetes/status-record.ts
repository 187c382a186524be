/** What is kept of the objects whose status the controller writes: who they are, and what their status says now. */
import { type ApiObject, asList, asRecord } from './api-object.js';
import type { ObjectDelta } from './object-index.js';
import type { ResourceType } from './resource-type.js';

export interface StatusRecord {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** `spec.parentRefs` of a route as written; empty for other kinds. */
  readonly parentRefs: readonly unknown[];
  /** The part of the status that the controller may write. */
  readonly status: Readonly<Record<string, unknown>>;
}

/** Of Pods and Services only weft's own conditions are kept: the rest is others' to write, and large. */
const ownConditionPrefix = 'weft.dev/';

const routeKinds = ['HTTPRoute', 'GRPCRoute'];
const ownKinds = ['AuthorizationPolicy', 'PeerAuthentication', 'Mesh'];
const sharedKinds = ['Pod', 'Service'];

export class StatusRecords {
  readonly #records = new Map<string, StatusRecord>();

  /** Returns whether any record changed. */
  observe(type: ResourceType, deltas: readonly ObjectDelta[]): boolean {
    if (![...routeKinds, ...ownKinds, ...sharedKinds].includes(type.kind)) return false;
    for (const delta of deltas) {
      if (delta.type === 'gone') this.#records.delete(recordKey(type.kind, delta.key));
      else this.#put(type, delta.key, delta.object);
    }
    return deltas.length > 0;
  }

  /** What a write returned: the watch tells of it, too, but later. */
  written(type: ResourceType, key: string, object: ApiObject): void {
    const before = this.#records.get(recordKey(type.kind, key));
    if (before?.uid === object.metadata.uid) this.#put(type, key, object);
  }

  /** By recordKey. */
  get(key: string): StatusRecord | undefined {
    return this.#records.get(key);
  }

  keys(): Iterable<string> {
    return this.#records.keys();
  }

  #put(type: ResourceType, key: string, object: ApiObject): void {
    const name = recordKey(type.kind, key);
    const before = this.#records.get(name);
    const { metadata } = object;
    if (before?.uid === metadata.uid && isOlder(metadata.resourceVersion, before.resourceVersion)) return;
    this.#records.set(name, {
      type,
      namespace: metadata.namespace,
      name: metadata.name,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      generation: metadata.generation,
      parentRefs: routeKinds.includes(type.kind) ? asList(asRecord(object.spec)?.parentRefs) : [],
      status: keptStatus(type.kind, asRecord(object.status) ?? {}),
    });
  }
}

/** A record's name: `HTTPRoute shop/cart`. */
export function recordKey(kind: string, key: string): string {
  return `${kind} ${key}`;
}

function keptStatus(
  kind: string,
  status: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (!sharedKinds.includes(kind)) return status;
  const conditions = asList(status.conditions).filter((one) => {
    const type = asRecord(one)?.type;
    return typeof type === 'string' && type.startsWith(ownConditionPrefix);
  });
  return conditions.length === 0 ? {} : { conditions };
}

/** Resource versions of one kind are whole numbers that grow (KEP-5504). */
function isOlder(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return false;
  return BigInt(version) < BigInt(than);
}
