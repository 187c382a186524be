/** Asks the API and weft's parts for all that `weft check` judges. */
import { type ApiKind, type ApiObject, ForbiddenError, kinds } from '../cluster/cluster-api.js';
import type { ClusterMesh } from '../cluster/cluster-mesh.js';
import { type ExplainedPod, explainPods } from '../cluster/explain-pods.js';
import { findWeft } from '../cluster/find-weft.js';
import type { LocalMesh } from '../local-mesh.js';
import type { MeshSource } from '../mesh-source.js';
import type { Certificates } from '../show/show-certificates.js';
import type { ControllerStatus, ProxyStatus } from '../show/show-status.js';
import type {
  ClusterFacts,
  CustomResource,
  Facts,
  Lease,
  MeshFacts,
  NodeObject,
  Workloads,
} from './facts.js';

/** @param before ask only what weft needs, not how it is */
export async function gatherFacts(
  source: LocalMesh | ClusterMesh,
  version: string,
  before: boolean,
): Promise<Facts> {
  const facts = { nowMs: Date.now(), version };
  if (source.kind === 'machine') return { ...facts, cluster: null, mesh: await askParts(source) };
  const cluster = await readCluster(source, before);
  const mesh = cluster.installation === null || before ? null : await askParts(source);
  return { ...facts, cluster, mesh };
}

async function askParts(source: MeshSource): Promise<MeshFacts> {
  const begunMs = Date.now();
  const [controllers, proxies] = await Promise.all([
    source.askControllers<ControllerStatus>('/status'),
    source.askProxies<ProxyStatus>('/stats'),
  ]);
  // Each answer was written somewhere between the two.
  const askedMs = (begunMs + Date.now()) / 2;
  const certificates = await source.askProxies<Certificates>('/certificates');
  return { controllers, proxies, certificates, askedMs };
}

async function readCluster(mesh: ClusterMesh, before: boolean): Promise<ClusterFacts> {
  const { api } = mesh.cluster;
  const unread: string[] = [];
  /** What may not be read is said, and the rest is checked. */
  const attempt = async <Found>(read: () => Promise<Found>, otherwise: Found): Promise<Found> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ForbiddenError)) throw error;
      unread.push(error.message);
      return otherwise;
    }
  };
  const list = <Found extends ApiObject>(kind: ApiKind) =>
    attempt(async () => (await api.list<Found>(kind)) ?? [], [] as Found[]);
  const [server, nodes, crds, installation] = await Promise.all([
    api.document<{ gitVersion: string }>('/version'),
    list<NodeObject>(kinds.nodes),
    list<CustomResource>(kinds.crds),
    before ? null : findWeft(api),
  ]);
  const nothing = { daemonSet: null, deployment: null, lease: null, roots: null, pods: [] };
  const base = { serverVersion: server.gitVersion, nodes, crds, installation, unread };
  if (installation === null) return { ...base, ...nothing };
  const { namespace } = installation;
  const get = <Found extends ApiObject>(kind: ApiKind, name: string) =>
    attempt<Found | null>(() => api.get<Found>(kind, name, namespace), null);
  const [daemonSet, deployment, lease, roots, pods] = await Promise.all([
    get<Workloads>(kinds.daemonSets, 'weft'),
    get<Workloads>(kinds.deployments, 'weft-controller'),
    get<Lease>(kinds.leases, 'weft-controller'),
    get<ApiObject & { readonly data?: Readonly<Record<string, string>> }>(kinds.configMaps, 'weft-roots'),
    attempt<readonly ExplainedPod[]>(async () => (await explainPods(mesh, null)).pods, []),
  ]);
  return { ...base, daemonSet, deployment, lease, roots: roots?.data?.['ca.crt'] ?? null, pods };
}
