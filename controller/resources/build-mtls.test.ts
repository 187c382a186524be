import { readDocuments } from '../source/read-documents.js';
import { workloadYaml } from '../test-fixture.js';
import { buildResources } from './build-resources.js';
import { ManifestStore } from './manifest-store.js';
import { describeProblem } from './status-problem.js';

const peer = (name: string, spec: string, more = '') => `
apiVersion: weft.dev/v1alpha1
kind: PeerAuthentication
metadata: {name: ${name}, namespace: shop${more}}
spec: {${spec}}
`;
const ofWeb = 'selector: {matchLabels: {app: web}}';
const mesh = (mode: string) => `
apiVersion: weft.dev/v1alpha1
kind: Mesh
metadata: {name: mesh}
spec: {trustDomain: a.b, ranges: [{cidr: 10.0.0.0/8, action: proxy}], mtls: {mode: ${mode}}}
`;
const web = workloadYaml('web', '10.1.0.2');
const cart = workloadYaml('cart', '10.1.0.3');

function build(...documents: string[]) {
  const store = new ManifestStore();
  store.apply(documents.map((text, index) => readDocuments(`${index}.yaml`, text)));
  const { resources, problems } = buildResources(store.manifests(), { trustDomain: 'a.b', node: 'local' });
  const mtls = (name: string) => {
    const found = resources?.find((one) => one.kind === 'workload' && one.name === `shop.${name}`);
    return found?.kind === 'workload' ? found.body.mtls : undefined;
  };
  return { mtls, problems: [...store.problems(), ...problems].map(describeProblem) };
}

test('without a word everything is permissive', () => {
  expect(build(web).mtls('web')).toEqual({ mode: 'permissive', ports: {} });
});

test('a port comes before its workload, that before its namespace, that before the mesh', () => {
  const { mtls, problems } = build(
    web,
    cart,
    mesh('Disabled'),
    peer('all', 'mode: Permissive'),
    peer('web', `${ofWeb}, mode: Strict, ports: [{port: 9090, mode: Disabled}, {port: 80, mode: Strict}]`),
  );
  expect(problems).toEqual([]);
  expect(mtls('web')).toEqual({ mode: 'strict', ports: { 9090: 'disabled' } });
  expect(mtls('cart')).toEqual({ mode: 'permissive', ports: {} });
  expect(build(web, mesh('Strict')).mtls('web')).toEqual({ mode: 'strict', ports: {} });
});

test('one that gives ports alone leaves the mode to the wider one', () => {
  const { mtls } = build(
    web,
    peer('all', 'mode: Strict'),
    peer('metrics', `${ofWeb}, ports: [{port: 9090, mode: Permissive}]`),
  );
  expect(mtls('web')).toEqual({ mode: 'strict', ports: { 9090: 'permissive' } });
});

test('of two that speak of the same the older one decides, then the name; the loser is told once', () => {
  const old = ', creationTimestamp: "2020-01-01T00:00:00Z"';
  const young = ', creationTimestamp: "2024-01-01T00:00:00Z"';
  const { mtls, problems } = build(
    web,
    workloadYaml('web-2', '10.1.0.4').replace('app: web-2', 'app: web'),
    peer('a', `${ofWeb}, mode: Disabled`, young),
    peer('b', `${ofWeb}, mode: Strict`, old),
  );
  expect([mtls('web')?.mode, mtls('web-2')?.mode]).toEqual(['strict', 'strict']);
  expect(problems).toEqual([
    expect.stringMatching(
      /PeerAuthentication shop\/a: spec.mode "disabled" loses to PeerAuthentication shop\/b/,
    ),
  ]);
  const alike = build(
    web,
    peer('b', `${ofWeb}, ports: [{port: 80, mode: Disabled}]`),
    peer('a', `${ofWeb}, ports: [{port: 80, mode: Strict}]`),
  );
  expect(alike.mtls('web')).toEqual({ mode: 'permissive', ports: { 80: 'strict' } });
  expect(alike.problems).toEqual([
    expect.stringMatching(/shop\/b: spec.ports loses to .*shop\/a, which gives port 80/),
  ]);
});

test('a broken one makes its target strict on every port, whatever others say', () => {
  const { mtls } = build(
    web,
    cart,
    peer('good', `${ofWeb}, mode: Disabled, ports: [{port: 80, mode: Disabled}]`),
    peer('bad', `${ofWeb}, mode: disabled`),
  );
  expect(mtls('web')).toEqual({ mode: 'strict', ports: {} });
  expect(mtls('cart')?.mode).toBe('permissive');
});

test('one that goes bad keeps its last good version', () => {
  const store = new ManifestStore();
  store.apply([readDocuments('p.yaml', peer('p', 'mode: Disabled')), readDocuments('w.yaml', web)]);
  store.apply([readDocuments('p.yaml', peer('p', 'mode: disabled'))]);
  const { resources } = buildResources(store.manifests(), { trustDomain: 'a.b', node: 'local' });
  expect(resources?.find(({ name }) => name === 'shop.web')?.body).toMatchObject({
    mtls: { mode: 'disabled' },
  });
  expect(store.problems()).toMatchObject([{ inForce: 'last-good' }]);
});

test('strict where nobody captures, and a selector of nobody, are warned of', () => {
  const bare = web.replace(/ {2}capture:.*\n/, '');
  expect(build(bare, peer('p', `${ofWeb}, mode: Strict`)).problems).toEqual([
    expect.stringMatching(/spec.mode "Strict" has no effect on shop\/web, which is not captured/),
  ]);
  // An address outside of the mesh is not meant by a namespace's or the mesh's mode.
  expect(build(bare, peer('p', 'mode: Strict')).problems).toEqual([]);
  expect(build(bare, cart, mesh('Strict')).problems).toEqual([]);
  const pod = `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, spec: {}, status: {podIP: 10.1.0.2}}`;
  expect(build(pod, cart, mesh('Strict')).problems).toEqual([]);
  expect(build(pod, peer('p', 'mode: Strict')).problems).toEqual([
    expect.stringMatching(/has no effect on shop\/web/),
  ]);
  expect(build(web, peer('p', 'selector: {matchLabels: {app: no}}, mode: Strict')).problems).toEqual([
    expect.stringMatching(/spec.selector selects no known workload/),
  ]);
});

test('strict forbids to fail open', () => {
  const open = workloadYaml('web', '10.1.0.2', ', failMode: open');
  expect(build(open).problems).toEqual([]);
  expect(build(open, peer('p', 'mode: Strict')).problems).toEqual([
    expect.stringMatching(/failMode "open" is forbidden by strict mutual TLS: it would lapse with the proxy/),
  ]);
});
