/** `weft workloads`: who is in the mesh, who is not, and why not. */
import { spiffeId, type Workload } from '../../model/workload.js';
import { type ExplainedPod, explainPods } from '../cluster/explain-pods.js';
import type { Scope } from '../open-scope.js';
import { formatTable, sortRows } from './format-table.js';
import { describeWaiting, type NodeWorkload } from './node-workload.js';
import { requireAnswers } from './require-answers.js';
import type { ProxyConfig } from './show-config.js';

/** What `-o json` prints of each. */
export interface ShownWorkload {
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
  readonly uid: string;
  readonly node: string;
  readonly addresses: readonly string[];
  /** SPIFFE id; empty where nothing gives it one. */
  readonly identity: string;
  /** It shall be captured. */
  readonly captured: boolean;
  /** Its node's proxy serves it; null where that node was not asked. */
  readonly served: boolean | null;
  /** Its network namespace, `pod`, or where it is captured; empty outside of the mesh. */
  readonly place: string;
  readonly failMode: 'closed' | 'open' | null;
  readonly mtls: { readonly mode: string; readonly ports: Readonly<Record<string, string>> } | null;
  /** Its phase; null where its node knows nothing of it. */
  readonly transport: string | null;
  /** Why it is not captured though it should be; empty where it is, or need not be. */
  readonly problem: string;
}

export async function findWorkloads({ source, namespace }: Scope): Promise<{
  readonly found: readonly ShownWorkload[];
  readonly warnings: readonly string[];
}> {
  if (source.kind === 'cluster') {
    const { pods, warnings } = await explainPods(source, namespace);
    return { found: pods.map(showPod), warnings };
  }
  const [{ found: configs, warnings }, { found: own }] = [
    requireAnswers(await source.askProxies<ProxyConfig>('/config')),
    requireAnswers(await source.askProxies<NodeWorkload[]>('/workloads')),
  ];
  const enrolments = new Map(own.flat().map((one) => [one.workload.uid, one.enrolment]));
  const found = configs.flatMap(({ resources }) =>
    resources.flatMap((one) =>
      one.kind === 'workload' && (namespace === null || one.body.namespace === namespace)
        ? [showWorkload(one.body, enrolments.get(one.body.uid))]
        : [],
    ),
  );
  return { found, warnings };
}

/** @param enrolment undefined where another node captures it */
export function showWorkload(
  workload: Workload,
  enrolment: NodeWorkload['enrolment'] | undefined,
): ShownWorkload {
  const { namespace, name, kind, uid, node, addresses, captured, capture, mtls, transport } = workload;
  const meshed = captured || transport !== 'plaintext';
  return {
    namespace,
    name,
    kind,
    uid,
    node,
    addresses,
    identity: spiffeId(workload),
    captured,
    served: enrolment == null ? (enrolment ?? null) : enrolment.waitsFor === 'nothing',
    place: describePlace(workload),
    failMode: capture?.failMode ?? null,
    mtls: meshed ? mtls : null,
    transport,
    problem: describeWaiting(enrolment),
  };
}

function showPod({ pod, known, problem }: ExplainedPod): ShownWorkload {
  if (known !== null) return { ...showWorkload(known.workload, known.enrolment), problem };
  const { metadata, spec, status } = pod;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    kind: 'pod',
    uid: metadata.uid,
    node: spec.nodeName ?? '',
    addresses: status?.podIPs?.map(({ ip }) => ip) ?? [],
    identity: '',
    captured: false,
    served: null,
    place: '',
    failMode: null,
    mtls: null,
    transport: null,
    problem,
  };
}

/** How a workload of another node is captured, only that node is told. */
function describePlace({ captured, capture, node }: Workload): string {
  if (capture !== null)
    return `${capture.netns === '' ? 'pod' : `netns ${capture.netns}`}${captured ? '' : ', leaves'}`;
  return captured ? `on ${node}` : '';
}

export function formatWorkloads(workloads: readonly ShownWorkload[]): string {
  const columns = [
    'namespace',
    'name',
    'kind',
    'node',
    'addresses',
    'identity',
    'mesh',
    'fails',
    'mtls',
    'transport',
  ];
  const rows = workloads.map((one) => [
    one.namespace,
    one.name,
    one.kind,
    one.node || '-',
    one.addresses.join(', ') || '-',
    one.identity || '-',
    one.problem === '' ? one.place || '-' : 'waits',
    one.failMode ?? '-',
    describeMtls(one.mtls),
    one.mtls === null ? '-' : (one.transport ?? '-'),
  ]);
  const problems = workloads
    .filter(({ problem }) => problem !== '')
    .map(({ namespace, name, problem }) => `\n${namespace}/${name} is not captured: ${problem}\n`);
  const table = formatTable(
    columns.map((title) => ({ title })),
    sortRows(rows, 2),
    'no workloads',
  );
  return [table, ...problems].join('');
}

function describeMtls(mtls: ShownWorkload['mtls']): string {
  if (mtls === null) return '-';
  const own = Object.entries(mtls.ports).map(([port, mode]) => `${port} ${mode}`);
  return own.length === 0 ? mtls.mode : `${mtls.mode} (${own.join(', ')})`;
}
