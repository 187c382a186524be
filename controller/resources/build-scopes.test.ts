import { parse } from 'yaml';
import { MeshBuilder } from './build-resources.js';
import { ManifestStore } from './manifest-store.js';

const store = new ManifestStore('cluster');
const builder = new MeshBuilder({ trustDomain: 'a.b', node: '', cluster: { excludedNamespaces: [] } });

/** Applies documents; returns the version of the service's endpoints where it is another one now. */
function apply(...texts: string[]): string | undefined {
  const changes = texts.map((text) => {
    const value = parse(text) as { kind: string };
    return { type: 'holds' as const, origin: value.kind, documents: [{ value, locate: () => 0 }] };
  });
  builder.apply(store.apply(changes));
  const taken = builder.takeChanges();
  scopes = taken?.scopes ?? new Map();
  return taken?.resources.get('endpoints shop/cart')?.version;
}
let scopes: ReadonlyMap<string, unknown> = new Map();

const service = (policy: string) =>
  `{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop},
    spec: {clusterIP: 10.96.0.1, ports: [{port: 80}], internalTrafficPolicy: ${policy}}}`;
const slice = (node: string) =>
  `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4,
    metadata: {name: cart, namespace: shop, labels: {kubernetes.io/service-name: cart}},
    ports: [{name: "", port: 8080}], endpoints: [{addresses: [10.0.0.1], nodeName: ${node}}]}`;

test('an endpoint that moves to another node changes what nodes see, though the set is the same', () => {
  const first = apply(service('Local'), slice('a'));
  expect(first).toBeDefined();
  expect([...scopes.keys()]).toEqual(['shop/cart']);
  const moved = apply(slice('b'));
  expect(moved).toBeDefined();
  expect(moved).not.toBe(first);
  // As long as everybody may use them nobody minds where they are.
  expect(apply(service('Cluster'))).toBeDefined();
  expect(scopes).toEqual(new Map([['shop/cart', undefined]]));
  expect(apply(slice('a'))).toBeUndefined();
});
