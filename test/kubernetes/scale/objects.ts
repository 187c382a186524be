/** The objects of the measured mesh. */

export const podsPerService = 10;

/** So many addresses has each node's range. */
const nodeRange = 1024;
/** From here on they are of pods that come later. */
const firstExtra = 600;

/** Nodes' ranges lie outside of the cluster's own: no real pod ever has such an address. */
function addressText(number: number): string {
  return `10.${128 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

/** An address of its node's range. */
export function addressOf(service: number, pod: number, nodes: number): string {
  const number = service * podsPerService + pod;
  const within = 1 + Math.floor(number / nodes);
  if (within >= firstExtra) throw new Error(`${nodes} nodes have no room for so many pods; give more agents`);
  return addressText((number % nodes) * nodeRange + within);
}

/** The address of a pod that comes later, on the node of a service's first pod. */
export function extraAddressOf(service: number, nodes: number): string {
  const within = firstExtra + (service % (nodeRange - firstExtra - 1));
  return addressText(((service * podsPerService) % nodes) * nodeRange + within);
}

export function serviceOf(number: number) {
  const ports = [{ port: 80, targetPort: 8080, appProtocol: 'http' }];
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: `s${number}` }, spec: { ports } };
}

export function nodeName(number: number): string {
  return `scale-${number}`;
}

/** Nothing is scheduled to it, and nobody minds that it never becomes ready. */
export function nodeOf(number: number) {
  const podCIDR = `${addressText(number * nodeRange)}/22`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName(number) },
    spec: { unschedulable: true, podCIDR, podCIDRs: [podCIDR] },
  };
}

/** Pods go round over the nodes. */
export function nodeOfPod(service: number, pod: number, nodes: number): string {
  return nodeName((service * podsPerService + pod) % nodes);
}

export function podOf(service: number, pod: number, nodes: number) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${service}-${pod}`, labels: { app: `s${service}` } },
    spec: {
      nodeName: nodeOfPod(service, pod, nodes),
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'c', image: 'none', ports: [{ name: 'http', containerPort: 8080 }] }],
    },
  };
}

export function sliceOf(service: number, nodes: number) {
  const endpoints = Array.from({ length: podsPerService }, (_, pod) => ({
    addresses: [addressOf(service, pod, nodes)],
    conditions: { ready: true },
  }));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `s${service}`, labels: { 'kubernetes.io/service-name': `s${service}` } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 }],
    endpoints,
  };
}

/** `weight` makes each version another one. */
export function routeOf(number: number, weight: number) {
  const backend = { name: `s${number}`, port: 80, weight };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `r${number}` },
    spec: {
      parentRefs: [{ group: '', kind: 'Service', name: `s${number}` }],
      rules: [{ backendRefs: [backend] }],
    },
  };
}
