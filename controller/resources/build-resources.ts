/** From all manifests to all resources of the mesh. Pure; every step adds what it finds wrong. */
import type { Mesh } from '../../model/mesh.js';
import type { Resource } from '../../model/resource.js';
import type { HttpRoute } from '../../model/route.js';
import type { Service } from '../../model/service.js';
import type { Workload } from '../../model/workload.js';
import type { WorkloadManifest } from '../parse/manifest.js';
import { type NodeScopes, noScopes } from '../publish/scope-endpoints.js';
import { BuildMemo } from './build-memo.js';
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

/** @param memo of the build before, so that this one costs what has changed; absent: everything is built */
export function buildResources(
  manifests: readonly StoredManifest[],
  settings: BuildSettings,
  memo = new BuildMemo(),
): BuiltResources {
  const check = new CrossCheck();
  const byKind = sortByKind(manifests, memo);
  const mesh = memo.step('mesh', [byKind.meshes], check, (own) =>
    buildMesh(byKind.meshes, settings.trustDomain, own),
  );
  if (mesh === null)
    return { resources: null, problems: [...check.problems, noTrustDomain], scopes: noScopes };

  const { built, owners, emptied } = placeWorkloads(byKind, mesh, settings, memo, check);
  const plain = memo.step('plain', [built], check, () => built.map(({ workload }) => workload));
  const claimed = memo.step('services', [byKind.services, owners], check, (own) => {
    const all: AddressOwners = new Map(owners);
    return { services: buildServices(byKind.services, all, own), addresses: [...all.keys()] };
  });
  const { services } = claimed;
  const sets = memo.step('endpoints', [services, byKind.slices, plain], check, (own) => {
    const index = new WorkloadIndex(plain, settings.cluster !== undefined);
    return buildEndpointSets(services, byKind.slices, index, own, memo);
  });
  memo.step('protocols', [byKind.services, sets], check, (own) => checkProtocols(byKind.services, sets, own));
  const routes = memo.step('routes', [byKind.routes, byKind.services, byKind.grants], check, (own) =>
    buildRoutes(byKind.routes, referencesOf(byKind), own),
  );
  const members = memo.step('members', [sets], check, () => membersOf(sets));
  if (settings.cluster) {
    const kinds = Object.values(byKind);
    memo.step('sources', kinds, check, (own) => checkSources(byKind, own));
  }
  const policies = memo.step('policies', [byKind.policies, plain, members], check, (own) =>
    buildPolicies(byKind.policies, plain, members, own),
  );
  const workloads = memo.step('failure', [built, policies, members], check, (own) =>
    forbidOpenFailure(built, policies, members, own),
  );
  const { namespaces, nodes, serviceRanges, meshes, slices } = byKind;
  const whole = memo.step('ranges', [mesh, namespaces, nodes, serviceRanges, claimed, emptied], check, () => {
    const enrolled = settings.cluster && !emptied ? enrolledNamespaces(byKind, settings.cluster) : [];
    return settings.cluster
      ? withClusterRanges(mesh, byKind, claimed.addresses, enrolled)
      : withRanges(mesh, claimed.addresses);
  });
  memo.step('outside', [whole, workloads, services, meshes], check, (own) =>
    warnOutside(whole, workloads, services, byKind, own),
  );
  const scopes = memo.step('scopes', [byKind.services, slices, nodes, sets], check, () =>
    buildScopes(byKind, sets),
  );
  const resources = [
    ...memo.resources('mesh', [whole], () => ({ name: 'mesh', namespace: '' })),
    ...memo.step('workload resources', [workloads], check, () =>
      memo.resources('workload', workloads, ({ uid, namespace }) => ({ name: uid, namespace })),
    ),
    ...memo.step('service resources', [services], check, () => memo.resources('service', services, ownKey)),
    ...memo.step('endpoints resources', [sets], check, () => memo.resources('endpoints', sets, ownKey)),
    ...memo.step('route resources', [routes], check, () => [
      ...memo.resources('http-route', routes.filter(isHttp), ownKey),
      ...memo.resources(
        'grpc-route',
        routes.filter((one) => !isHttp(one)),
        ownKey,
      ),
    ]),
    ...memo.step('policy resources', [policies], check, () =>
      memo.resources('authorization-policy', policies, ownKey),
    ),
  ];
  return { resources, problems: check.problems, scopes };
}

/** Workloads with identity, place and modes, and who owns which address. */
function placeWorkloads(
  byKind: ManifestsByKind,
  mesh: Mesh,
  settings: BuildSettings,
  memo: BuildMemo,
  check: CrossCheck,
) {
  const { cluster, node } = settings;
  const { workloads, namespaces, nodes, meshes, peerAuthentications } = byKind;
  const pods = memo.step('pods', [workloads, namespaces, nodes], check, (own) =>
    cluster ? enrolPods(byKind, cluster, own, memo) : workloads,
  );
  const emptied = meshes[0]?.manifest.enrolment === 'Disabled';
  const { placed, owners } = memo.step('workloads', [pods, mesh, emptied], check, (own) => {
    const claimed: AddressOwners = new Map();
    const shown = emptied ? pods.map(release) : pods;
    return { placed: buildWorkloads(shown, mesh, node, claimed, own, memo), owners: claimed };
  });
  const built = memo.step('mtls', [placed, peerAuthentications, meshes], check, (own) =>
    buildMtls(placed, peerAuthentications, meshes, own),
  );
  return { built, owners, emptied };
}

function referencesOf({ services, grants }: ManifestsByKind): Parameters<typeof buildRoutes>[1] {
  return {
    services: new Map(
      services.map(({ manifest }) => [`${manifest.id.namespace}/${manifest.id.name}`, manifest]),
    ),
    grants: grants.map(({ manifest }) => manifest),
  };
}

function isHttp({ kind }: HttpRoute): boolean {
  return kind === 'http-route';
}

function ownKey({ namespace, name }: NamedBody): { name: string; namespace: string } {
  return { name: `${namespace}/${name}`, namespace };
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
