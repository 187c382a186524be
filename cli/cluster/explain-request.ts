/**
 * Why a request of one pod to another ends as it does: routes and endpoints as the caller's node has them in force,
 * and for each endpoint what its own node demands and allows.
 */
import { describeWaiting, type NodeWorkload } from '../show/node-workload.js';
import type { WhyAnswer, WhyBackend, WhyEndpoint, WhySource } from '../show/show-why.js';
import { type AskedRequest, writeQuestion } from '../show/why-question.js';
import { CommandError } from '../usage-error.js';
import { type ApiObject, kinds } from './cluster-api.js';
import type { ClusterMesh } from './cluster-mesh.js';
import { type FoundDestination, type FoundPod, findDestination, findPod } from './find-destination.js';
import { describePod, type Pod } from './pod.js';

type Answered = WhyAnswer | { readonly error: string };

/** Endpoints whose own node is asked; of the others the caller's node speaks. */
const mostEndpoints = 32;

/** Throws CommandError where a name is not known, or the caller's agent cannot be asked. */
export async function explainRequest(
  mesh: ClusterMesh,
  asked: AskedRequest,
  namespace: string,
): Promise<Answered> {
  const { api } = mesh.cluster;
  const [caller, destination] = await Promise.all([
    findPod(api, asked.source, namespace),
    findDestination(api, asked.destination, namespace),
  ]);
  const source = await describeSource(mesh, caller, destination.notes);
  const question = {
    ...asked,
    source: source.captured && caller.pod !== null ? caller.pod.metadata.uid : caller.address,
    destination: join(destination.address, destination.port),
    host: asked.host ?? asked.destination,
  };
  const answer = source.captured
    ? await askCaller(mesh, source.node, question)
    : await passByRoutes(mesh, destination);
  if ('error' in answer) return answer;
  return { ...answer, source, backends: await askEndpoints(mesh, answer.backends, question) };
}

async function describeSource(
  mesh: ClusterMesh,
  { pod, address, notes }: FoundPod,
  more: readonly string[],
): Promise<WhySource> {
  if (pod === null) {
    return {
      name: address,
      node: '',
      captured: false,
      notes: ['the address is no pod of this cluster', ...more],
    };
  }
  const node = pod.spec.nodeName ?? '';
  if (!(await mesh.installation).agents.has(node)) {
    const note = `its node ${node} has no agent of weft`;
    return { name: describePod(pod), node, captured: false, notes: [...notes, note, ...more] };
  }
  const asked = await mesh.askProxy<NodeWorkload[]>(node, '/workloads');
  if (!asked.ok) throw new CommandError(`the agent of ${node} cannot be asked: ${asked.error}`);
  const own = asked.answer.find(({ workload }) => workload.uid === pod.metadata.uid);
  const why = describeWaiting(own?.enrolment);
  const captured = own !== undefined && own.enrolment !== null;
  return { name: describePod(pod), node, captured, notes: [...notes, ...(why === '' ? [] : [why]), ...more] };
}

async function askCaller(mesh: ClusterMesh, node: string, question: AskedRequest): Promise<Answered> {
  const asked = await mesh.askProxy<Answered>(node, `/why?${writeQuestion(question)}`);
  if (!asked.ok) throw new CommandError(`the agent of ${node} cannot be asked: ${asked.error}`);
  return asked.answer;
}

/** The endpoint's own node speaks for it: policies and modes are its. */
async function askEndpoints(
  mesh: ClusterMesh,
  backends: readonly WhyBackend[],
  question: AskedRequest,
): Promise<WhyBackend[]> {
  let left = mostEndpoints;
  const jobs = backends.map(async (backend) => {
    const path = backend.target ?? question.path;
    const endpoints = backend.endpoints.map((endpoint) => {
      if (endpoint.node === '' || left === 0) return endpoint;
      left -= 1;
      return askEndpoint(mesh, endpoint, { ...question, path, destination: endpoint.endpoint });
    });
    return { ...backend, endpoints: await Promise.all(endpoints) };
  });
  return Promise.all(jobs);
}

async function askEndpoint(
  mesh: ClusterMesh,
  endpoint: WhyEndpoint,
  question: AskedRequest,
): Promise<WhyEndpoint> {
  const asked = await mesh.askProxy<Answered>(endpoint.node, `/why?${writeQuestion(question)}`);
  const told = asked.ok && !('error' in asked.answer) ? asked.answer.backends[0]?.endpoints[0] : undefined;
  if (told !== undefined) {
    const { name, node, ready } = endpoint;
    return { ...told, name: told.name || name, node, ready, toldBy: 'its node' };
  }
  const trouble = asked.ok
    ? 'error' in asked.answer
      ? asked.answer.error
      : 'it has no such workload'
    : asked.error;
  return { ...endpoint, toldBy: "the caller's node", trouble };
}

interface Slice extends ApiObject {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly nodeName?: string;
    readonly conditions?: { readonly ready?: boolean };
    readonly targetRef?: { readonly name: string; readonly namespace?: string; readonly uid: string };
  }[];
}

/** What kube-proxy would do for a caller outside of the mesh: any ready endpoint, no route. */
async function passByRoutes(
  mesh: ClusterMesh,
  { service, pod, address, port }: FoundDestination,
): Promise<WhyAnswer> {
  const base = { snapshot: 0, routesAsked: [], reason: 'none' } as const;
  if (service === null) {
    const endpoints = pod === null ? [] : [passTo(pod, join(address, port))];
    if (endpoints.length === 0) return { ...base, destination: { kind: 'passthrough' }, backends: [] };
    const backends = [{ backend: '', share: 1, reason: 'none', endpoints }];
    return { ...base, destination: { kind: 'workload', workload: endpoints[0]?.name ?? '', port }, backends };
  }
  const { name, namespace = '' } = service.metadata;
  const selector = `kubernetes.io/service-name=${name}`;
  const slices = (await mesh.cluster.api.list<Slice>(kinds.endpointSlices, namespace, selector)) ?? [];
  const portName = service.spec.ports?.find((one) => one.port === port)?.name ?? '';
  const endpoints = slices.flatMap(({ ports = [], endpoints: own }) => {
    const target = ports.find((one) => (one.name ?? '') === portName)?.port;
    return target === undefined ? [] : (own ?? []).flatMap((one) => passToEndpoint(one, target));
  });
  const backend = `${namespace}/${name}:${port}`;
  const reason = endpoints.length === 0 ? 'no_ready_endpoint' : 'none';
  return {
    ...base,
    destination: { kind: 'service', service: `${namespace}/${name}`, port },
    backends: [{ backend, share: 1, reason, endpoints }],
  };
}

const unseen = {
  transport: 'plaintext',
  cause: 'source_not_captured',
  mode: null,
  identity: '',
  allowed: true,
  policy: null,
  reason: 'none',
  audit: [],
} as const;

function passTo(pod: Pod, endpoint: string): WhyEndpoint {
  const { uid } = pod.metadata;
  return {
    ...unseen,
    endpoint,
    workload: uid,
    name: describePod(pod),
    node: pod.spec.nodeName ?? '',
    ready: true,
  };
}

function passToEndpoint(
  { addresses, nodeName = '', conditions, targetRef }: NonNullable<Slice['endpoints']>[number],
  port: number,
): WhyEndpoint[] {
  const [address] = addresses;
  if (address === undefined) return [];
  const name = targetRef === undefined ? '' : `${targetRef.namespace}/${targetRef.name}`;
  const ready = conditions?.ready !== false;
  return [
    { ...unseen, endpoint: join(address, port), workload: targetRef?.uid ?? '', name, node: nodeName, ready },
  ];
}

function join(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
