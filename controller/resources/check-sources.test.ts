import { parse } from 'yaml';
import { buildResources } from './build-resources.js';
import { ManifestStore } from './manifest-store.js';
import { describeProblem } from './status-problem.js';

const texts = [
  '{apiVersion: v1, kind: Namespace, metadata: {name: shop}}',
  '{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}',
  `{apiVersion: weft.dev/v1alpha1, kind: AuthorizationPolicy, metadata: {name: p, namespace: shop}, spec: {action: ALLOW,
    rules: [{sources: {serviceAccounts: [shop/web, shop/wbe], namespaces: [shop, shpo]}}]}}`,
];

function problems(origin: 'cluster' | 'folder'): string[] {
  const store = new ManifestStore(origin);
  store.apply(
    texts.map((text, index) => ({
      type: 'holds',
      origin: `${index}`,
      documents: [{ value: parse(text) as unknown, locate: () => 0 }],
    })),
  );
  const cluster = origin === 'cluster' ? { cluster: { excludedNamespaces: [] } } : {};
  const built = buildResources(store.manifests(), { trustDomain: 'a.b', node: '', ...cluster });
  return built.problems.map(describeProblem).filter((text) => text.includes('sources'));
}

test('sources that the cluster does not have are told, by their place', () => {
  expect(problems('cluster')).toEqual([
    expect.stringContaining(
      'spec.rules[0].sources.serviceAccounts[1] "shop/wbe" names no known service account',
    ),
    expect.stringContaining('spec.rules[0].sources.namespaces[1] "shpo" names no known namespace'),
  ]);
});

test('a folder need not tell its service accounts', () => {
  expect(problems('folder')).toEqual([]);
});
