/** Which pods are in the mesh, and why one that is asked for is not: the API's side and the agents' put together. */
import type { Asked } from '../mesh-source.js';
import { describeWaiting, type NodeWorkload } from '../show/node-workload.js';
import { warnOfSilent } from '../show/require-answers.js';
import { type ApiObject, kinds } from './cluster-api.js';
import type { ClusterMesh } from './cluster-mesh.js';
import { isAlive, type Pod } from './pod.js';

export const meshLabel = 'weft.dev/mesh';

export interface ExplainedPod {
  readonly pod: Pod;
  /** Labels ask for it. */
  readonly asked: boolean;
  /** What its node's proxy knows of it. */
  readonly known: NodeWorkload | null;
  /** Why it is not captured though asked for; empty where it is, or is not asked for. */
  readonly problem: string;
}

/** What {@link explainPod} looks at besides the pod. */
export interface PodSurroundings {
  readonly weftNamespace: string;
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Every node that has an agent, and what its proxy says. */
  readonly nodes: ReadonlyMap<string, Asked<readonly NodeWorkload[]>>;
}

/** Living pods of a namespace, or of all. */
export async function explainPods(
  mesh: ClusterMesh,
  namespace: string | null,
): Promise<{ readonly pods: readonly ExplainedPod[]; readonly warnings: readonly string[] }> {
  const { api } = mesh.cluster;
  const { namespace: weftNamespace } = await mesh.installation;
  const [asked, pods, namespaces] = await Promise.all([
    mesh.askProxies<NodeWorkload[]>('/workloads'),
    api.list<Pod>(kinds.pods, namespace),
    api.list<ApiObject>(kinds.namespaces),
  ]);
  const surroundings = {
    weftNamespace,
    namespaceLabels: new Map(namespaces?.map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
    nodes: new Map(asked.map((one) => [one.name, one])),
  };
  const explained = (pods ?? []).filter(isAlive).map((pod) => explainPod(pod, surroundings));
  return { pods: explained, warnings: warnOfSilent(asked) };
}

export function explainPod(pod: Pod, surroundings: PodSurroundings): ExplainedPod {
  const { namespaceLabels, nodes } = surroundings;
  const { namespace = '', labels = {}, uid } = pod.metadata;
  const asked = (labels[meshLabel] ?? namespaceLabels.get(namespace)?.[meshLabel]) === 'enabled';
  const agent = nodes.get(pod.spec.nodeName ?? '');
  const known = (agent?.ok && agent.answer.find(({ workload }) => workload.uid === uid)) || null;
  const problem = asked ? findProblem(pod, surroundings, agent, known) : '';
  return { pod, asked, known, problem };
}

function findProblem(
  { metadata, spec, status }: Pod,
  { weftNamespace }: PodSurroundings,
  agent: Asked<readonly NodeWorkload[]> | undefined,
  known: NodeWorkload | null,
): string {
  const { namespace = '' } = metadata;
  if (['kube-system', weftNamespace].includes(namespace))
    return `namespace ${namespace} is never in the mesh`;
  if (spec.hostNetwork === true) return "it shares its node's network (hostNetwork)";
  if (spec.runtimeClassName !== undefined)
    return `runtime class ${spec.runtimeClassName} gives it a kernel of its own`;
  if (spec.nodeName === undefined) return 'it has no node yet';
  if (agent === undefined) return `its node ${spec.nodeName} has no agent`;
  if (!agent.ok) return `the agent of its node ${spec.nodeName} cannot be asked: ${agent.error}`;
  if (status?.podIP === undefined) return 'it has no address yet';
  if (known === null) return `the configuration of its node ${spec.nodeName} does not have it yet`;
  if (known.enrolment === null)
    return 'the configuration does not capture it: see the statuses of pod and Mesh';
  return describeWaiting(known.enrolment);
}
