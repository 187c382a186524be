import { readDocuments } from '../source/read-documents.js';
import type { SourceChange } from '../source/source.js';
import { policyYaml, routeYaml, serviceYaml } from '../test-fixture.js';
import { ManifestStore } from './manifest-store.js';
import { describeProblem } from './status-problem.js';

let store: ManifestStore;

beforeEach(() => {
  store = new ManifestStore();
});

const file = (origin: string, ...documents: string[]): SourceChange =>
  readDocuments(origin, documents.join('---'));

/** What is in force: `Kind namespace/name` with its standing where that is not good. */
function inForce(): string[] {
  return store
    .manifests()
    .map(
      ({ manifest: { id }, standing }) =>
        `${id.kind} ${id.name}${standing === 'good' ? '' : ` (${standing})`}`,
    )
    .sort();
}

const problems = () => store.problems().map(describeProblem);
const badRoute = (name: string) => routeYaml(name, 'web', 'web').replace('parentRefs', 'parentRef');
const deny = '  action: DENY\n  rules: [{ports: [80]}]';

test('a bad document keeps its last good version while all others go on', () => {
  store.apply([file('a.yaml', serviceYaml('web', '10.0.0.1'), routeYaml('one', 'web', 'web'))]);
  store.apply([
    file('a.yaml', serviceYaml('web', '10.0.0.2'), badRoute('one'), routeYaml('two', 'web', 'web')),
  ]);
  expect(inForce()).toEqual(['HTTPRoute one (kept)', 'HTTPRoute two', 'Service web']);
  expect(problems()).toEqual([
    'a.yaml:13: HTTPRoute shop/one: spec.parentRef [{"group":"","kind":"Service","name":"web"}] is not a known field; ' +
      'fix: did you mean parentRefs? (its last good version stays in force)',
  ]);
  store.apply([file('a.yaml', serviceYaml('web', '10.0.0.2'))]);
  expect(inForce()).toEqual(['Service web']);
  expect(problems()).toEqual([]);
});

test('a bad document without a last good version is not in force, and makes the view incomplete', () => {
  store.apply([file('a.yaml', badRoute('one'), serviceYaml('web', '10.0.0.1'))]);
  expect(inForce()).toEqual(['Service web']);
  expect(store.incomplete).toBe(true);
  expect(problems()[0]).toMatch(/\(not in force\)$/);
  store.apply([file('a.yaml', serviceYaml('web', '10.0.0.1'))]);
  expect(store.incomplete).toBe(false);
});

test('a bad policy without a last good version closes its targets; with one it keeps that', () => {
  const bad = policyYaml('p', '  targetRefs: [{kind: Service, name: web}]\n  action: REFUSE');
  store.apply([file('a.yaml', bad)]);
  expect(inForce()).toEqual(['AuthorizationPolicy p (fallback)']);
  expect(store.manifests()[0]?.manifest).toMatchObject({
    policy: { broken: true, mode: 'Enforce', targets: [{ kind: 'Service', name: 'web' }] },
  });
  expect(problems()[0]).toMatch(/a.yaml:7: .* spec.action "REFUSE" .* \(its targets are closed\)$/);
  store.apply([file('a.yaml', policyYaml('p', deny))]);
  expect(inForce()).toEqual(['AuthorizationPolicy p']);
  store.apply([file('a.yaml', bad)]);
  expect(inForce()).toEqual(['AuthorizationPolicy p (kept)']);
});

test('a policy whose targets cannot be read closes its whole namespace; one in audit mode says so', () => {
  store.apply([
    file(
      'a.yaml',
      policyYaml('p', '  targetRefs: {kind: Service}\n  action: DENY\n  mode: Audit\n  rules: [{}]'),
    ),
  ]);
  expect(store.manifests()[0]?.manifest).toMatchObject({
    policy: { broken: true, mode: 'Audit', targets: [] },
  });
});

test('a file that is no YAML keeps all of its last good resources', () => {
  store.apply([file('a.yaml', serviceYaml('web', '10.0.0.1'), routeYaml('one', 'web', 'web'))]);
  store.apply([readDocuments('a.yaml', 'apiVersion: v1\nkind: [\n')]);
  expect(inForce()).toEqual(['HTTPRoute one (kept)', 'Service web (kept)']);
  expect(problems()[0]).toMatch(/^a.yaml:\d: .*is no valid YAML/);
  expect(store.incomplete).toBe(false);
});

test('a document that cannot be named holds whatever the file no longer shows', () => {
  store.apply([file('a.yaml', policyYaml('p', deny), serviceYaml('web', '10.0.0.1'))]);
  const nameless = policyYaml('p', deny).replace('{name: p,', '{nam: p,');
  store.apply([file('a.yaml', nameless, serviceYaml('web', '10.0.0.2'))]);
  expect(inForce()).toEqual(['AuthorizationPolicy p (kept)', 'Service web']);
  const misspelt = policyYaml('p', deny).replace('AuthorizationPolicy', 'AuthorizationPolice');
  store.apply([file('a.yaml', misspelt, serviceYaml('web', '10.0.0.2'))]);
  expect(inForce()).toEqual(['AuthorizationPolicy p (kept)', 'Service web']);
});

test('a foreign kind is passed over, but does not take the place of what had its name', () => {
  const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n';
  store.apply([file('a.yaml', deployment, policyYaml('p', deny))]);
  expect(inForce()).toEqual(['AuthorizationPolicy p']);
  expect(problems()).toEqual([]);
  store.apply([file('a.yaml', deployment, policyYaml('p', deny).replace('weft.dev', 'wefd.dev'))]);
  expect(inForce()).toEqual(['AuthorizationPolicy p (kept)']);
});

test('one name in two files is a problem that names both, and the one in force stays', () => {
  store.apply([file('b.yaml', serviceYaml('web', '10.0.0.1'))]);
  store.apply([file('a.yaml', serviceYaml('web', '10.0.0.2'))]);
  expect(store.manifests()).toMatchObject([{ origin: 'b.yaml' }]);
  expect(problems()).toEqual([
    'a.yaml:4: Service shop/web: metadata.name "web" is defined in b.yaml:2 too, which stays in force; ' +
      'fix: keep one of the two (not in force)',
  ]);
  store.apply([{ type: 'gone', origin: 'b.yaml' }]);
  expect(store.manifests()).toMatchObject([{ origin: 'a.yaml' }]);
  expect(problems()).toEqual([]);
});

test('one name twice in one file is a problem, and the first stays', () => {
  store.apply([file('a.yaml', serviceYaml('web', '10.0.0.1'), serviceYaml('web', '10.0.0.2'))]);
  expect(store.manifests()[0]?.manifest).toMatchObject({ service: { addresses: ['10.0.0.1'] } });
  expect(problems()[0]).toMatch(/^a.yaml:11: .*is defined in a.yaml:2 too/);
});

test('a file that is moved takes its resources along', () => {
  store.apply([file('a.yaml', serviceYaml('web', '10.0.0.1'))]);
  store.apply([{ type: 'gone', origin: 'a.yaml' }, file('b.yaml', serviceYaml('web', '10.0.0.1'))]);
  expect(inForce()).toEqual(['Service web']);
  expect(problems()).toEqual([]);
});
