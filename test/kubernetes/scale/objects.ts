/** The objects of the measured mesh. */

export const podsPerService = 10;

/** Outside of the cluster's own ranges: no real pod ever has it. */
export function addressOf(service: number, pod: number): string {
  const number = service * podsPerService + pod;
  return `10.${150 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

export function serviceOf(number: number) {
  const ports = [{ port: 80, targetPort: 8080, appProtocol: 'http' }];
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: `s${number}` }, spec: { ports } };
}

export function nodeName(number: number): string {
  return `scale-${number}`;
}

/** Nothing is scheduled to it, and nobody minds that it never becomes ready. */
export function nodeOf(name: string) {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { unschedulable: true } };
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

export function sliceOf(service: number) {
  const endpoints = Array.from({ length: podsPerService }, (_, pod) => ({
    addresses: [addressOf(service, pod)],
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
