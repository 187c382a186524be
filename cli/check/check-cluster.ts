/** What weft asks of a cluster, whether or not it is installed. */
import type { ClusterFacts, CustomResource } from './facts.js';
import { error, type Finding, nameFew, ok, warning } from './finding.js';

const leastKubernetes = [1, 30] as const;
const leastKernel = [6, 1] as const;

/** Kinds that must be served, by the version that is read. */
const gatewayKinds = { httproutes: 'v1', grpcroutes: 'v1', referencegrants: 'v1beta1' } as const;
const ownKinds = {
  meshes: 'v1alpha1',
  authorizationpolicies: 'v1alpha1',
  peerauthentications: 'v1alpha1',
} as const;

export function checkCluster(facts: ClusterFacts): Finding[] {
  return [
    checkKubernetes(facts),
    checkKernels(facts),
    checkRuntimes(facts),
    checkKinds('gateway-api', facts.crds, 'gateway.networking.k8s.io', gatewayKinds, {
      well: 'the Gateway API serves HTTPRoute, GRPCRoute and ReferenceGrant',
      hint: 'kubectl apply --server-side -f the standard channel of Gateway API 1.2 or later',
    }),
    checkKinds('weft-kinds', facts.crds, 'weft.dev', ownKinds, {
      well: 'Mesh, AuthorizationPolicy and PeerAuthentication are served',
      hint: 'kubectl apply --server-side -f deploy/crds',
    }),
    ...facts.unread.map((what) =>
      warning('rights', `not everything could be looked at: ${what}`, 'bind weft-viewer'),
    ),
  ];
}

/** Whether a version's first two numbers are at least these. */
export function reaches(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, first, second] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (first === undefined) return false;
  return Number(first) > major || (Number(first) === major && Number(second) >= minor);
}

function checkKubernetes({ serverVersion }: ClusterFacts): Finding {
  const id = 'kubernetes-version';
  if (reaches(serverVersion, leastKubernetes)) return ok(id, `Kubernetes ${serverVersion} is recent enough`);
  const least = leastKubernetes.join('.');
  return error(
    id,
    `Kubernetes ${serverVersion} is older than ${least}`,
    `upgrade the cluster to ${least} or later`,
  );
}

function checkKernels({ nodes }: ClusterFacts): Finding {
  const id = 'node-kernel';
  const old = nodes.flatMap(({ metadata: { name }, status: { nodeInfo } }) => {
    const fine = nodeInfo.operatingSystem === 'linux' && reaches(nodeInfo.kernelVersion, leastKernel);
    return fine ? [] : [`${name} (${nodeInfo.operatingSystem} ${nodeInfo.kernelVersion})`];
  });
  if (old.length === 0) return ok(id, `all ${nodes.length} nodes run Linux 6.1 or later`);
  const hint = 'upgrade their kernel, or keep weft and meshed pods away from them by node.nodeSelector';
  return error(
    id,
    `${old.length} of ${nodes.length} nodes have no kernel that weft runs on: ${nameFew(old)}`,
    hint,
  );
}

/** By it pods are known before their first process runs. containerd has it on from 2.0; 1.7 and CRI-O can. */
function checkRuntimes({ nodes }: ClusterFacts): Finding {
  const id = 'node-runtime';
  const unknown = nodes.flatMap(({ metadata: { name }, status: { nodeInfo } }) => {
    const [runtime, version = ''] = nodeInfo.containerRuntimeVersion.split('://');
    const fine =
      (runtime === 'containerd' && reaches(version, [1, 7])) ||
      (runtime === 'cri-o' && reaches(version, [1, 26]));
    return fine ? [] : [`${name} (${nodeInfo.containerRuntimeVersion})`];
  });
  if (unknown.length === 0) return ok(id, `all ${nodes.length} nodes have a container runtime with NRI`);
  const hint =
    'use containerd 1.7 or CRI-O 1.26 or later with NRI enabled: without it no pod can be enrolled';
  return error(id, `${unknown.length} nodes have a container runtime without NRI: ${nameFew(unknown)}`, hint);
}

function checkKinds(
  id: string,
  crds: readonly CustomResource[],
  group: string,
  kinds: Readonly<Record<string, string>>,
  { well, hint }: { readonly well: string; readonly hint: string },
): Finding {
  const missing = Object.entries(kinds).flatMap(([plural, version]) => {
    const crd = crds.find(({ metadata }) => metadata.name === `${plural}.${group}`);
    if (crd === undefined) return [plural];
    const served = crd.spec.versions.filter((one) => one.served).map(({ name }) => name);
    return served.includes(version)
      ? []
      : [`${plural} in ${version} (served: ${served.join(', ') || 'nothing'})`];
  });
  return missing.length === 0
    ? ok(id, well)
    : error(id, `kinds of ${group} are missing: ${missing.join(', ')}`, hint);
}
