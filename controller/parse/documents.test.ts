import { readFileSync } from 'node:fs';
import { buildResources } from '../resources/build-resources.js';
import { ManifestStore } from '../resources/manifest-store.js';
import { describeProblem } from '../resources/status-problem.js';
import { readDocuments } from '../source/read-documents.js';

/** The YAML examples of docs/manifests.md. */
const doc = readFileSync(new URL('../../../docs/manifests.md', import.meta.url), 'utf8');
const examples = [...doc.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '');

test('every kind has an example, and all of them together are a mesh without a problem', () => {
  const store = new ManifestStore();
  store.apply(examples.map((text, index) => readDocuments(`example-${index}.yaml`, text)));
  const built = buildResources(store.manifests(), { trustDomain: null, node: 'local' });
  expect([...store.problems(), ...built.problems].map(describeProblem)).toEqual([]);
  const kinds = new Set(store.manifests().map(({ manifest }) => manifest.id.kind));
  const sections = [...doc.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
  expect([...kinds, 'Protocols'].sort()).toEqual(sections.sort());
  expect(built.resources?.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
    'authorization-policy shop/cart',
    'authorization-policy shop/prices',
    'endpoints bank/ledger',
    'endpoints shop/cart',
    'endpoints shop/prices',
    'grpc-route shop/prices',
    'http-route shop/cart',
    'mesh mesh',
    'service bank/ledger',
    'service shop/cart',
    'service shop/prices',
    'workload 0b5c3a52-6f2d-4f5e-9a43-0d3a5d0a2f11',
    'workload shop.cart-1',
  ]);
});
