/** Finds what a person means by SOURCE and DESTINATION: pods, workloads of several pods, services, addresses. */
import { isIP } from 'node:net';
import { CommandError } from '../usage-error.js';
import { type ApiObject, type ClusterApi, kinds } from './cluster-api.js';
import { describePod, isAlive, isReady, type Pod } from './pod.js';

export interface Service extends ApiObject {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly externalName?: string;
    readonly ports?: readonly { readonly name?: string; readonly port: number }[];
  };
}

interface Controller extends ApiObject {
  readonly spec: {
    readonly selector: {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly {
        readonly key: string;
        readonly operator: string;
        readonly values?: readonly string[];
      }[];
    };
  };
}

export interface FoundPod {
  /** null: an address of no pod. */
  readonly pod: Pod | null;
  readonly address: string;
  /** Where one of several was taken: which. */
  readonly notes: readonly string[];
}

export interface FoundDestination {
  readonly address: string;
  readonly port: number;
  /** null where the address is not a service's. */
  readonly service: Service | null;
  readonly pod: Pod | null;
  readonly notes: readonly string[];
}

const controllers = {
  deploy: kinds.deployments,
  deployment: kinds.deployments,
  deployments: kinds.deployments,
  ds: kinds.daemonSets,
  daemonset: kinds.daemonSets,
  daemonsets: kinds.daemonSets,
  sts: kinds.statefulSets,
  statefulset: kinds.statefulSets,
  statefulsets: kinds.statefulSets,
  rs: kinds.replicaSets,
  replicaset: kinds.replicaSets,
  replicasets: kinds.replicaSets,
} as const;
const podWords = ['po', 'pod', 'pods'];
const serviceWords = ['svc', 'service', 'services'];

/** `[NAMESPACE/]KIND/NAME`, `NAMESPACE/NAME`, `NAME`: its parts. `kind` is empty where none is named. */
export function readName(
  text: string,
  namespace: string,
): { readonly kind: string; readonly namespace: string; readonly name: string } {
  const parts = text.split('/');
  const isKind = (word: string) =>
    Object.hasOwn(controllers, word) || podWords.includes(word) || serviceWords.includes(word);
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1) return { kind: '', namespace, name: first };
  if (parts.length === 2 && isKind(first)) return { kind: first, namespace, name: second };
  if (parts.length === 2) return { kind: '', namespace: first, name: second };
  if (parts.length === 3 && isKind(second)) return { kind: second, namespace: first, name: third };
  throw new CommandError(`${text} is no name: write NAMESPACE/NAME, or a kind as in deploy/NAME`);
}

/** The pod that a person means. Throws CommandError where there is none, or not one. */
export async function findPod(api: ClusterApi, text: string, namespace: string): Promise<FoundPod> {
  if (isIP(text) !== 0) {
    const pods = (await api.list<Pod>(kinds.pods)) ?? [];
    const pod = pods.find((one) => isAlive(one) && hasAddress(one, text)) ?? null;
    return { pod, address: text, notes: [] };
  }
  const name = readName(text, namespace);
  const kind = controllers[name.kind as keyof typeof controllers];
  if (kind !== undefined) return findPodOf(api, kind, name.kind, name);
  if (serviceWords.includes(name.kind)) throw new CommandError(`${text} is a service: only pods call`);
  const pod = await api.get<Pod>(kinds.pods, name.name, name.namespace);
  if (pod === null) throw new CommandError(await describeMissingPod(api, name));
  return { pod, address: addressOf(pod), notes: [] };
}

async function findPodOf(
  api: ClusterApi,
  kind: (typeof controllers)[keyof typeof controllers],
  word: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<FoundPod> {
  const owner = await api.get<Controller>(kind, name, namespace);
  if (owner === null) throw new CommandError(`there is no ${word}/${name} in namespace ${namespace}`);
  const pods = (await api.list<Pod>(kinds.pods, namespace, writeSelector(owner))) ?? [];
  const alive = pods.filter((pod) => isAlive(pod) && pod.status?.podIP !== undefined);
  const pod = alive.find(isReady) ?? alive[0];
  if (pod === undefined)
    throw new CommandError(`${word}/${name} in namespace ${namespace} has no running pod`);
  const notes =
    alive.length === 1 ? [] : [`${pod.metadata.name} is one of ${alive.length} pods of ${word}/${name}`];
  return { pod, address: addressOf(pod), notes };
}

/** A label selector as the API's queries write it. */
export function writeSelector({ spec: { selector } }: Controller): string {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    switch (operator) {
      case 'Exists':
        return key;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
    }
  });
  return [...labels, ...expressions].join(',');
}

/** `NAME:PORT` in all its forms. Throws CommandError where it is not there, or is ambiguous. */
export async function findDestination(
  api: ClusterApi,
  text: string,
  namespace: string,
): Promise<FoundDestination> {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === '')
    throw new CommandError(`${text} is no destination: write NAME.NAMESPACE:PORT or ADDRESS:PORT`);
  const port = digits === undefined ? undefined : Number(digits);
  if (isIP(host) !== 0) return findAddress(api, host, requirePort(port, text));
  const named = readService(host, namespace);
  const service = named === null ? null : await api.get<Service>(kinds.services, named.name, named.namespace);
  if (service !== null) return reachService(service, port);
  if (named !== null && !host.includes('/')) {
    throw new CommandError(`there is no service ${named.name} in namespace ${named.namespace}`);
  }
  const found = await findPod(api, host, namespace);
  return { ...found, port: requirePort(port, text), service: null };
}

/** `NAME`, `NAME.NAMESPACE[.svc…]`, `NAMESPACE/NAME`, `svc/NAME`; null where it can be no service's. */
function readService(
  host: string,
  namespace: string,
): { readonly name: string; readonly namespace: string } | null {
  if (!host.includes('/')) {
    const [name = '', own = namespace] = host.split('.');
    return { name, namespace: own };
  }
  const { kind, ...name } = readName(host, namespace);
  return kind === '' || serviceWords.includes(kind) ? name : null;
}

function reachService(service: Service, port: number | undefined): FoundDestination {
  const { metadata, spec } = service;
  const key = `${metadata.namespace}/${metadata.name}`;
  const ports = spec.ports ?? [];
  if (spec.type === 'ExternalName') {
    throw new CommandError(`service ${key} stands for ${spec.externalName}: name that address`);
  }
  if (spec.clusterIP === undefined || spec.clusterIP === 'None') {
    throw new CommandError(
      `service ${key} is headless, its clients choose a pod: name one, as in pod/NAME:PORT`,
    );
  }
  const list = ports.map((one) => `${one.port}${one.name ? ` (${one.name})` : ''}`).join(', ');
  if (port === undefined && ports.length !== 1) {
    throw new CommandError(`service ${key} has ports ${list}: name one, as in ${metadata.name}:PORT`);
  }
  const chosen = port ?? (ports[0]?.port as number);
  const known = ports.some((one) => one.port === chosen);
  const notes = known ? [] : [`service ${key} has no port ${chosen}, only ${list}`];
  return { address: spec.clusterIP, port: chosen, service, pod: null, notes };
}

async function findAddress(api: ClusterApi, address: string, port: number): Promise<FoundDestination> {
  const services = (await api.list<Service>(kinds.services)) ?? [];
  const service = services.find(({ spec }) => spec.clusterIP === address) ?? null;
  if (service !== null) return reachService(service, port);
  const { pod } = await findPod(api, address, '');
  return { address, port, service: null, pod, notes: [] };
}

function requirePort(port: number | undefined, text: string): number {
  if (port === undefined || port < 1 || port > 65_535)
    throw new CommandError(`${text} needs a port, as in ${text}:80`);
  return port;
}

function hasAddress({ spec, status }: Pod, address: string): boolean {
  return spec.hostNetwork !== true && (status?.podIPs?.some(({ ip }) => ip === address) ?? false);
}

function addressOf(pod: Pod): string {
  const address = pod.status?.podIP;
  if (address === undefined) throw new CommandError(`pod ${describePod(pod)} has no address yet`);
  return address;
}

/** Names what might have been meant. */
async function describeMissingPod(
  api: ClusterApi,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<string> {
  const missing = `there is no pod ${name} in namespace ${namespace}`;
  const pods = (await api.list<Pod>(kinds.pods, namespace)) ?? [];
  const alike = pods.map(({ metadata }) => metadata.name).filter((one) => one.startsWith(`${name}-`));
  if (alike.length === 0) return `${missing}; -n names another namespace`;
  const few = alike.slice(0, 3).join(', ');
  return `${missing}: is ${few}${alike.length > 3 ? ', …' : ''} meant? name one, or deploy/${name}`;
}
