/**
 * From all manifests to all resources of the mesh, and what is wrong on the way. Pure but for what it remembers: a change
 * costs what follows from it (../derive), and the outcome is that of building everything anew.
 */
import type { Mesh } from '../../model/mesh.js';
import type { AuthorizationPolicy } from '../../model/policy.js';
import type { Resource, ResourceKind } from '../../model/resource.js';
import type { HttpRoute } from '../../model/route.js';
import type { EndpointSet, Service } from '../../model/service.js';
import type { Workload } from '../../model/workload.js';
import { Each } from '../derive/derived.js';
import { Graph } from '../derive/graph.js';
import { Grouping } from '../derive/grouping.js';
import type { Table } from '../derive/table.js';
import { manifestKey, type WorkloadManifest } from '../parse/manifest.js';
import { describeScope, type EndpointScope } from '../publish/scope-endpoints.js';
import { AddressCover } from './address-cover.js';
import { deriveMesh, type MeshTables, only, publishedMesh } from './build-mesh.js';
import { deriveMtls } from './build-mtls.js';
import { derivePolicies, forbidOpenFailure } from './build-policies.js';
import { deriveRoutes } from './build-routes.js';
import { deriveScopes, type ScopeTables, type ServiceScope } from './build-scopes.js';
import { deriveEndpoints, deriveServices } from './build-services.js';
import { type BuiltWorkload, deriveWorkloads } from './build-workloads.js';
import { checkProtocols } from './check-protocols.js';
import { checkSources } from './check-sources.js';
import type { Stored } from './cross-check.js';
import { type ClusterSettings, deriveNamespaces, derivePods, type NamespaceStanding } from './enrol-pods.js';
import { hashText, makeResource } from './make-resource.js';
import type { StoredManifest } from './manifest-store.js';
import { ManifestTables } from './manifest-tables.js';
import { ResourceChanges } from './resource-changes.js';
import { describeProblem, type StatusProblem } from './status-problem.js';
import { warnOutside } from './warn-outside.js';

export interface BuildSettings {
  /** Trust domain where no Mesh is given; null: a Mesh must be given. */
  readonly trustDomain: string | null;
  /** Node of workloads that name none. */
  readonly node: string;
  /** The manifests are a Kubernetes cluster's: labels enrol pods, and ranges follow from nodes and services. */
  readonly cluster?: ClusterSettings;
}

/** Everything that follows from manifests, kept up to date. */
export class MeshBuilder {
  readonly #graph = new Graph();
  readonly #manifests: ManifestTables;
  readonly #mesh: MeshTables;
  #changes = new ResourceChanges();

  constructor(settings: BuildSettings) {
    this.#manifests = new ManifestTables(this.#graph);
    this.#mesh = deriveMesh(this.#graph, this.#manifests, settings.trustDomain);
    const built = deriveAll(this.#manifests, this.#mesh, settings);
    for (const table of deriveResources(built)) {
      table.watch((_, before, after) => this.#changes.note(before, after));
    }
    built.scopes.services.watch((key, _, after) => this.#changes.noteScope(key, after && scopeOf(after)));
    built.scopes.zones.watch((_, __, after) => this.#changes.noteZones(after ?? {}));
  }

  /** Manifests that came, changed or went (undefined), by manifestKey. */
  apply(changed: ReadonlyMap<string, StoredManifest | undefined>): void {
    for (const [key, stored] of changed) this.#manifests.set(key, stored);
    this.#graph.settle();
  }

  /**
   * What is different since the last call. null: there is no trust domain, so nobody has an identity; what was published
   * before stays.
   */
  takeChanges(): ResourceChanges | null {
    if (this.#mesh.declared.get(only) === undefined) return null;
    const changes = this.#changes;
    this.#changes = new ResourceChanges();
    return changes;
  }

  problems(): StatusProblem[] {
    if (this.#mesh.declared.get(only) === undefined) {
      return [...[...this.#mesh.declared.problems.values()].flat(), noTrustDomain];
    }
    // What concerns several workloads may be found with each.
    return [...new Map(this.#graph.problems().map((one) => [describeProblem(one), one])).values()];
  }
}

interface BuiltTables {
  readonly mesh: Table<Mesh>;
  readonly workloads: Table<Workload>;
  readonly services: Table<Service>;
  readonly sets: Table<EndpointSet>;
  readonly routes: Table<HttpRoute>;
  readonly policies: Table<AuthorizationPolicy>;
  readonly scopes: ScopeTables;
}

function deriveAll(manifests: ManifestTables, mesh: MeshTables, settings: BuildSettings): BuiltTables {
  const { cluster, node } = settings;
  const namespaces = cluster === undefined ? undefined : deriveNamespaces(manifests, cluster);
  const pods = cluster && namespaces ? derivePods(manifests, namespaces, cluster) : manifests.workloads;
  const secured = deriveMtls(deriveWorkloads(release(pods, mesh), mesh, node), manifests, mesh);
  const byAddress = new Grouping<BuiltWorkload>(secured, ({ workload }) => workload.addresses);
  const services = deriveServices(manifests, byAddress);
  const sets = deriveEndpoints(services, manifests, byAddress, cluster !== undefined);
  checkProtocols(manifests, sets);
  const routes = deriveRoutes(manifests);
  if (cluster !== undefined) checkSources(manifests);
  const policies = derivePolicies(manifests, secured, sets);
  const workloads = forbidOpenFailure(secured, policies, sets);
  const cover = new AddressCover(workloads, services, cluster === undefined ? null : manifests);
  const enrolled = namespaces && enrolledNamespaces(namespaces, mesh);
  const whole = new Each(mesh.declared, (own) =>
    publishedMesh(
      own,
      own.ranges.length > 0 ? undefined : cover.get(only),
      enrolled?.() ?? own.enrolledNamespaces,
    ),
  );
  warnOutside(mesh, [workloads, services]);
  return { mesh: whole, workloads, services, sets, routes, policies, scopes: deriveScopes(manifests) };
}

/** While enrolment is disabled nobody is captured. */
function release(
  pods: Table<Stored<WorkloadManifest>>,
  { manifest }: MeshTables,
): Table<Stored<WorkloadManifest>> {
  const disabled = isDisabled(manifest);
  return new Each(pods, (stored) => {
    if (disabled.get(only) !== true || stored.manifest.workload.capture === null) return stored;
    const workload = { ...stored.manifest.workload, capture: null };
    return { ...stored, manifest: { ...stored.manifest, workload } };
  });
}

function isDisabled(mesh: MeshTables['manifest']): Table<boolean> {
  return new Each(mesh, ({ manifest }) => manifest.enrolment === 'Disabled');
}

/** Names of the namespaces that are enrolled as a whole, in order. */
function enrolledNamespaces(namespaces: Table<NamespaceStanding>, { manifest }: MeshTables): () => string[] {
  const disabled = isDisabled(manifest);
  const enrolled = new Grouping(namespaces, ({ label, excluded }) =>
    label === 'enabled' && !excluded ? [only] : [],
  );
  return () => (disabled.get(only) === true ? [] : enrolled.get(only).map(({ name }) => name));
}

function deriveResources({ scopes, ...built }: BuiltTables): Table<Resource>[] {
  const { mesh, workloads, services, sets, routes, policies } = built;
  const named = <Kind extends ResourceKind>(kind: Kind, body: NamedBody & object) =>
    makeResource(kind, `${body.namespace}/${body.name}`, body.namespace, body as never);
  return [
    new Each(mesh, (body) => makeResource('mesh', 'mesh', '', body)),
    new Each(workloads, (body) => makeResource('workload', body.uid, body.namespace, body)),
    new Each(services, (body) => named('service', body)),
    new Each(sets, (body, _, key) => {
      const scope = scopes.services.get(key);
      const resource = named('endpoints', body);
      if (scope === undefined) return resource;
      const zones = scope.localOnly ? {} : (scopes.zones.get(only) ?? {});
      // Endpoints that not every node may use change whenever that changes, though the set itself may not.
      const text = `${resource.version} ${describeScope(scopeOf(scope), new Map(Object.entries(zones)))}`;
      return { ...resource, version: hashText(text) };
    }),
    new Each(routes, (body) => named(body.kind, body)),
    new Each(policies, (body) => named('authorization-policy', body)),
  ];
}

function scopeOf({ localOnly, places }: ServiceScope): EndpointScope {
  return { localOnly, places: new Map(Object.entries(places)) };
}

interface NamedBody {
  readonly namespace: string;
  readonly name: string;
}

/** All resources at once; null as in {@link MeshBuilder.takeChanges}. */
export function buildResources(
  manifests: readonly StoredManifest[],
  settings: BuildSettings,
): { readonly resources: readonly Resource[] | null; readonly problems: readonly StatusProblem[] } {
  const builder = new MeshBuilder(settings);
  builder.apply(new Map(manifests.map((stored) => [manifestKey(stored.manifest.id), stored])));
  const changes = builder.takeChanges();
  const resources = changes && [...changes.resources.values()].filter((resource) => resource !== undefined);
  return { resources, problems: builder.problems() };
}

const noTrustDomain: StatusProblem = {
  severity: 'error',
  origin: 'controller',
  line: 0,
  kind: 'Mesh',
  namespace: '',
  name: '',
  field: 'spec.trustDomain',
  value: '',
  message: 'is unknown: there is no Mesh and --trust-domain was not given',
  fix: 'add a Mesh, or start the controller with --trust-domain',
  inForce: 'last-good',
};
