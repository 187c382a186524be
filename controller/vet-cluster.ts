/** Manifests as they would be once they are applied to a cluster: in place of its objects, with what its API would add. */
import { originOf, type ResourceType, watchedTypes } from './kubernetes/resource-type.js';
import { describeProblem } from './resources/status-problem.js';
import type { SourceChange, SourceDocument } from './source/source.js';
import { report, type VetReport, vetManifests } from './vet.js';

/** An object of the cluster, as its API lists it. */
export interface ClusterObject {
  readonly type: ResourceType;
  readonly value: { readonly metadata: { readonly name: string; readonly namespace?: string } };
}

export interface ClusterVet {
  readonly files: readonly SourceChange[];
  readonly objects: readonly ClusterObject[];
  /** Of documents that name none. */
  readonly namespace: string;
  readonly excludedNamespaces: readonly string[];
}

/** What is wrong with the files, and what would be wrong with the cluster's objects only because of them. */
export function vetForCluster({ files, objects, namespace, excludedNamespaces }: ClusterVet): VetReport {
  const standing = new Map(objects.map((one) => [keyOf(one.type, one.value), one]));
  const before = [...standing.values()].map(toChange);
  const known = new Set(vetManifests(before, excludedNamespaces).problems.map(describeProblem));
  const complete = new Completion(standing, namespace);
  const applied = files.map((change) => complete.complete(change));
  const after = vetManifests([...applied, ...[...standing.values()].map(toChange)], excludedNamespaces);
  const own = new Set(files.map(({ origin }) => origin));
  const fresh = after.problems.filter(
    (problem) => own.has(problem.origin) || !known.has(describeProblem(problem)),
  );
  const manifests = applied.reduce((sum, one) => sum + (one.type === 'holds' ? one.documents.length : 0), 0);
  return report(manifests, fresh);
}

function toChange({ type, value }: ClusterObject): SourceChange {
  const { name, namespace } = value.metadata;
  const origin = originOf(type, namespace === undefined ? name : `${namespace}/${name}`);
  return { type: 'holds', origin, documents: [{ value, locate: () => 0 }] };
}

const keyOf = ({ plural, group }: ResourceType, { metadata }: ClusterObject['value']) =>
  `${plural}.${group}/${metadata.namespace ?? ''}/${metadata.name}`;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** Gives documents what the API gives objects, and takes the objects away that they replace. */
class Completion {
  readonly #standing: Map<string, ClusterObject>;
  readonly #namespace: string;
  #addresses = 0;

  constructor(standing: Map<string, ClusterObject>, namespace: string) {
    this.#standing = standing;
    this.#namespace = namespace;
  }

  complete(change: SourceChange): SourceChange {
    if (change.type !== 'holds') return change;
    return { ...change, documents: change.documents.map((document) => this.#document(document)) };
  }

  #document({ value, locate }: SourceDocument): SourceDocument {
    const document = fieldsOf(value);
    const { kind, apiVersion } = document;
    const type = watchedTypes.find(
      (one) => one.kind === kind && String(apiVersion ?? '').split('/')[0] === (one.group || one.version),
    );
    const metadata = fieldsOf(document.metadata);
    if (type === undefined || typeof metadata.name !== 'string') return { value, locate };
    const namespace = type.namespaced ? String(metadata.namespace ?? this.#namespace) : undefined;
    const named = { ...metadata, name: metadata.name, ...(namespace === undefined ? {} : { namespace }) };
    const key = keyOf(type, {
      metadata: { name: metadata.name, ...(namespace === undefined ? {} : { namespace }) },
    });
    const standing = fieldsOf(this.#standing.get(key)?.value);
    this.#standing.delete(key);
    const completed = { ...document, metadata: this.#metadata(named, standing) };
    return { value: kind === 'Service' ? this.#service(completed, standing) : completed, locate };
  }

  #metadata(metadata: Fields, standing: Fields): Fields {
    const { uid, creationTimestamp } = fieldsOf(standing.metadata);
    const given = {
      uid: uid ?? `new-${metadata.namespace}-${metadata.name}`,
      creationTimestamp: creationTimestamp,
    };
    return { ...(creationTimestamp === undefined ? { uid: given.uid } : given), ...metadata };
  }

  /** A service that is new has no address yet: one of RFC 2544 stands in for it. */
  #service(document: Fields, standing: Fields): Fields {
    const spec = fieldsOf(document.spec);
    if (spec.clusterIP !== undefined || spec.type === 'ExternalName') return document;
    const { clusterIP, clusterIPs } = fieldsOf(standing.spec);
    if (clusterIP !== undefined) return { ...document, spec: { clusterIP, clusterIPs, ...spec } };
    this.#addresses += 1;
    const standIn = `198.18.${this.#addresses >> 8}.${this.#addresses & 255}`;
    return { ...document, spec: { clusterIP: standIn, ...spec } };
  }
}
