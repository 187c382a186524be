/** From all manifests to all resources of the mesh. Pure; every step adds what it finds wrong. */
import type { Mesh } from '../../model/mesh.js';
import type { Resource, ResourceBodies, ResourceKind } from '../../model/resource.js';
import type { Service } from '../../model/service.js';
import type { Workload } from '../../model/workload.js';
import type { WorkloadManifest } from '../parse/manifest.js';
import { type NodeScopes, noScopes } from '../publish/scope-endpoints.js';
import { buildMesh, rangeLookup, withClusterRanges, withRanges } from './build-mesh.js';
import { buildMtls } from './build-mtls.js';
import { buildPolicies, forbidOpenFailure, membersOf } from './build-policies.js';
import { buildRoutes } from './build-routes.js';
import { buildScopes } from './build-scopes.js';
import { buildEndpointSets, buildServices, WorkloadIndex } from './build-services.js';
import { type AddressOwners, buildWorkloads } from './build-workloads.js';
import { checkProtocols } from './check-protocols.js';
import { checkSources } from './check-sources.js';
import { type ClusterSettings, enrolledNamespaces, enrolPods } from './enrol-pods.js';
import { makeResource } from './make-resource.js';
import type { StoredManifest } from './manifest-store.js';
import { CrossCheck, type ManifestsByKind, type Stored, sortByKind } from './manifests-by-kind.js';
import type { StatusProblem } from './status-problem.js';

export interface BuildSettings {
  /** Trust domain where no Mesh is given; null: a Mesh must be given. */
  readonly trustDomain: string | null;
  /** Node of workloads that name none. */
  readonly node: string;
  /** The manifests are a Kubernetes cluster's: labels enrol pods, and ranges follow from nodes and services. */
  readonly cluster?: ClusterSettings;
}

export interface BuiltResources {
  /** null: there is no trust domain, so nobody has an identity; what was published before stays. */
  readonly resources: readonly Resource[] | null;
  readonly problems: readonly StatusProblem[];
  /** What nodes see of services' endpoints. */
  readonly scopes: NodeScopes;
}

export function buildResources(
  manifests: readonly StoredManifest[],
  settings: BuildSettings,
): BuiltResources {
  const check = new CrossCheck();
  const byKind = sortByKind(manifests);
  const mesh = buildMesh(byKind.meshes, settings.trustDomain, check);
  if (mesh === null)
    return { resources: null, problems: [...check.problems, noTrustDomain], scopes: noScopes };

  const owners: AddressOwners = new Map();
  const pods = settings.cluster ? enrolPods(byKind, settings.cluster, check) : byKind.workloads;
  const emptied = byKind.meshes[0]?.manifest.enrolment === 'Disabled';
  const placed = buildWorkloads(emptied ? pods.map(release) : pods, mesh, settings.node, owners, check);
  const built = buildMtls(placed, byKind.peerAuthentications, byKind.meshes, check);
  const services = buildServices(byKind.services, owners, check);
  const plain = built.map(({ workload }) => workload);
  const sets = buildEndpointSets(
    services,
    byKind.slices,
    new WorkloadIndex(plain, settings.cluster !== undefined),
    check,
  );
  checkProtocols(byKind.services, sets, check);
  const references = {
    services: new Map(
      byKind.services.map(({ manifest }) => [`${manifest.id.namespace}/${manifest.id.name}`, manifest]),
    ),
    grants: byKind.grants.map(({ manifest }) => manifest),
  };
  const routes = buildRoutes(byKind.routes, references, check);
  const members = membersOf(sets);
  if (settings.cluster) checkSources(byKind, check);
  const policies = buildPolicies(byKind.policies, plain, members, check);
  const workloads = forbidOpenFailure(built, policies, members, check);
  const enrolled = settings.cluster && !emptied ? enrolledNamespaces(byKind, settings.cluster) : [];
  const whole = settings.cluster
    ? withClusterRanges(mesh, byKind, [...owners.keys()], enrolled)
    : withRanges(mesh, [...owners.keys()]);
  warnOutside(whole, workloads, services, byKind, check);

  const owned = <Kind extends ResourceKind>(kind: Kind, body: ResourceBodies[Kind] & NamedBody) =>
    makeResource(kind, `${body.namespace}/${body.name}`, body.namespace, body);
  const resources = [
    makeResource('mesh', 'mesh', '', whole),
    ...workloads.map((body) => makeResource('workload', body.uid, body.namespace, body)),
    ...services.map((body) => owned('service', body)),
    ...sets.map((body) => owned('endpoints', body)),
    ...routes.map((body) => owned(body.kind, body)),
    ...policies.map((body) => owned('authorization-policy', body)),
  ];
  return { resources, problems: check.problems, scopes: buildScopes(byKind, sets) };
}

function release(stored: Stored<WorkloadManifest>): Stored<WorkloadManifest> {
  const { manifest } = stored;
  return { ...stored, manifest: { ...manifest, workload: { ...manifest.workload, capture: null } } };
}

interface NamedBody {
  readonly namespace: string;
  readonly name: string;
}

/** With ranges given by hand, a workload or service outside of them is not proxied, which is easily overlooked. */
function warnOutside(
  mesh: Mesh,
  workloads: readonly Workload[],
  services: readonly Service[],
  byKind: ManifestsByKind,
  check: CrossCheck,
): void {
  const [stored] = byKind.meshes;
  if (stored === undefined) return;
  const actionFor = rangeLookup(mesh.ranges);
  for (const { addresses, namespace, name } of [...workloads, ...services]) {
    for (const address of addresses) {
      if (actionFor(address) === 'proxy') continue;
      const message = `do not hold ${address} of ${namespace}/${name}, so traffic to it is not proxied`;
      check.warning(stored, ['spec', 'ranges'], address, message, 'add a range with action proxy');
    }
  }
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
