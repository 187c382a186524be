import { watchedTypes } from './kubernetes/resource-type.js';
import { describeProblem } from './resources/status-problem.js';
import { readDocuments } from './source/read-documents.js';
import { type ClusterObject, vetForCluster } from './vet-cluster.js';

const excludedNamespaces = ['kube-system', 'weft-system'];

function object(kind: string, name: string, spec: object): ClusterObject {
  const type = watchedTypes.find((one) => one.kind === kind);
  if (type === undefined) throw new Error(`no kind ${kind}`);
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  const metadata = { name, namespace: 'shop', uid: `uid-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { type, value: { apiVersion, kind, metadata, spec } as ClusterObject['value'] };
}

const port = { name: 'http', port: 80, appProtocol: 'http' };
const cart = object('Service', 'cart', { clusterIP: '10.96.0.9', ports: [port] });

const vet = (yaml: string, ...objects: ClusterObject[]) => {
  const files = [readDocuments('a.yaml', yaml)];
  const report = vetForCluster({ files, objects, namespace: 'shop', excludedNamespaces });
  return { ...report, told: report.problems.map(describeProblem) };
};

const route = (backend: string) => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart}
spec:
  parentRefs: [{group: "", kind: Service, name: cart, port: 80}]
  rules: [{backendRefs: [{name: ${backend}, port: 80}]}]
`;

test('a route to a service of the cluster leads somewhere, one to none nowhere', () => {
  expect(vet(route('cart'), cart).told).toEqual([]);
  expect(vet(route('cart-v2'), cart).told).toEqual([
    expect.stringMatching(/a.yaml:7: HTTPRoute shop\/cart: .*cart-v2/),
  ]);
});

test('a service that is new needs no address, and one that stands keeps its own', () => {
  const service = (name: string) => `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: x}, ports: [{name: http, port: 80}]}
`;
  expect(vet(`${route('new')}---${service('new')}`, cart).told).toEqual([]);
  expect(vet(service('cart'), cart)).toMatchObject({ manifests: 1, errors: 0 });
});

test('what is wrong in the cluster already is not told, what the files break is', () => {
  const broken = object('HTTPRoute', 'old', {
    parentRefs: [{ group: '', kind: 'Service', name: 'cart', port: 80 }],
    rules: [{ backendRefs: [{ name: 'nowhere', port: 80 }] }],
  });
  const leading = object('HTTPRoute', 'web', {
    parentRefs: [{ group: '', kind: 'Service', name: 'cart', port: 80 }],
    rules: [{ backendRefs: [{ name: 'cart', port: 80 }] }],
  });
  const other =
    'apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {clusterIP: 10.96.0.9, ports: [{name: http, port: 81}]}\n';
  expect(vet('kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n', cart, broken).told).toEqual([]);
  const { told } = vet(other, cart, leading);
  expect(told.join('\n')).toMatch(/httproutes.*shop\/web/);
});
