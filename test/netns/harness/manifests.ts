/** Manifests of test meshes, as a user would write them. */
import { stringify } from 'yaml';

/** Any Kubernetes-shaped object. */
export type Manifest = Readonly<Record<string, unknown>>;

export const namespace = 'test';

export interface PodSpec {
  readonly name: string;
  /** Label `app` and service account. Default: the name. */
  readonly app?: string;
  readonly ports?: readonly { readonly name: string; readonly port: number; readonly appProtocol: string }[];
  /** Parts of the Workload's spec.capture besides netns; null: known by its addresses, not enrolled. */
  readonly capture?: Readonly<Record<string, unknown>> | null;
  readonly limits?: Readonly<Record<string, number>>;
  /** Name of the node that runs it; default: the lab's own. */
  readonly node?: string;
}

export interface ServiceSpec {
  readonly name: string;
  /** Last part of its virtual addresses 10.97.0.N and fd97::N (hexadecimal). */
  readonly host: number;
  readonly port: number;
  readonly targetPort: number;
  readonly appProtocol: string;
  /** Names of pods; default: the one of the service's own name. */
  readonly pods?: readonly string[];
  /** Which families the endpoints are given in; default: IPv4. */
  readonly families?: readonly (4 | 6)[];
}

export const mesh: Manifest = {
  apiVersion: 'weft.dev/v1alpha1',
  kind: 'Mesh',
  metadata: { name: 'mesh' },
  spec: {
    trustDomain: 'test.example',
    ranges: ['10.66.0.0/16', 'fd66::/64', '10.97.0.0/16', 'fd97::/64'].map((cidr) => ({
      cidr,
      action: 'proxy',
    })),
  },
};

export interface PodPlace {
  readonly netns: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

export function workload(pod: PodSpec, place: PodPlace): Manifest {
  const app = pod.app ?? pod.name;
  return {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name: pod.name, namespace, labels: { app } },
    spec: {
      addresses: [place.ipv4, place.ipv6],
      serviceAccount: app,
      ...(pod.node === undefined ? {} : { node: pod.node }),
      ports: pod.ports ?? [],
      ...(pod.limits === undefined ? {} : { limits: pod.limits }),
      ...(pod.capture === null ? {} : { capture: { netns: place.netns, ...pod.capture } }),
    },
  };
}

/** The Service and one EndpointSlice per family. */
export function service(spec: ServiceSpec, places: ReadonlyMap<string, PodPlace>): Manifest[] {
  const { name, host, port, targetPort, appProtocol } = spec;
  const addresses = (family: 4 | 6) =>
    (spec.pods ?? [name]).flatMap((pod) => {
      const place = places.get(pod);
      return place === undefined ? [] : [family === 4 ? place.ipv4 : place.ipv6];
    });
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { clusterIPs: virtualAddresses(host), ports: [{ name: 'port', port, targetPort, appProtocol }] },
    },
    ...(spec.families ?? [4]).map((family) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-ipv${family}`, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: `IPv${family}`,
      ports: [{ name: 'port', port: targetPort, protocol: 'TCP' }],
      endpoints: addresses(family).map((address) => ({ addresses: [address], conditions: { ready: true } })),
    })),
  ];
}

export function virtualAddresses(host: number): [ipv4: string, ipv6: string] {
  return [`10.97.${host >> 8}.${host & 255}`, `fd97::${host.toString(16)}`];
}

/** An HTTPRoute of a service with the given rules. */
export function route(
  name: string,
  parent: string,
  rules: readonly unknown[],
  hostnames: readonly string[] = [],
): Manifest {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace },
    spec: {
      parentRefs: [{ group: '', kind: 'Service', name: parent }],
      ...(hostnames.length === 0 ? {} : { hostnames }),
      rules,
    },
  };
}

/** A GRPCRoute of a service with the given rules. */
export function grpcRoute(name: string, parent: string, rules: readonly unknown[]): Manifest {
  return { ...route(name, parent, rules), kind: 'GRPCRoute' };
}

export function policy(name: string, spec: Manifest): Manifest {
  return {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace },
    spec,
  };
}

/** The mode of mutual TLS that a namespace's workloads demand, or those with a label `app`. */
export function peerAuthentication(name: string, mode: string, app?: string): Manifest {
  return {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'PeerAuthentication',
    metadata: { name, namespace },
    spec: { mode, ...(app === undefined ? {} : { selector: { matchLabels: { app } } }) },
  };
}

export function toYaml(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => stringify(manifest, { aliasDuplicateObjects: false })).join('---\n');
}
