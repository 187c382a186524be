import { X509Certificate } from 'node:crypto';
import { createAuthority } from './create-authority.js';
import { TestApi } from './test-api.js';

const objects = {
  namespace: 'weft-system',
  secret: 'weft-authority',
  roots: 'weft-roots',
  trustDomain: 'shop.example',
  given: false,
};
const secretPath = '/api/v1/namespaces/weft-system/secrets/weft-authority';
const rootsPath = '/api/v1/namespaces/weft-system/configmaps/weft-roots';

const rootOf = (api: TestApi) => {
  const roots = api.objects.get(rootsPath) as { data: Record<string, string> };
  return roots.data['ca.crt'] ?? '';
};

test('a root is made once; the roots’ ConfigMap holds the root and nothing else', async () => {
  const api = new TestApi();
  await createAuthority(api.hook, objects, Date.now());
  const secret = api.objects.get(secretPath) as { type: string; data: Record<string, string> };
  expect([secret.type, Object.keys(secret.data)]).toEqual([
    'kubernetes.io/tls',
    ['tls.key', 'tls.crt', 'ca.crt'],
  ]);
  const root = new X509Certificate(rootOf(api));
  expect([root.ca, root.subjectAltName]).toEqual([true, 'URI:spiffe://shop.example']);
  expect(Object.keys(api.objects.get(rootsPath)?.data as object)).toEqual(['ca.crt']);
  const before = JSON.stringify(secret);
  await createAuthority(api.hook, objects, Date.now());
  expect(JSON.stringify(api.objects.get(secretPath))).toBe(before);
});

test('a root that was replaced in the Secret is told in the ConfigMap at the next upgrade', async () => {
  const api = new TestApi();
  await createAuthority(api.hook, objects, Date.now());
  const data = { 'tls.key': 'k', 'tls.crt': 'c', 'ca.crt': 'new root' };
  const encoded = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
  api.objects.set(secretPath, { data: Object.fromEntries(encoded) });
  await createAuthority(api.hook, objects, Date.now());
  expect(rootOf(api)).toBe('new root');
});

test('a Secret of the user must be there and whole', async () => {
  const api = new TestApi();
  const given = { ...objects, given: true };
  await expect(createAuthority(api.hook, given, 0)).rejects.toThrow(
    /there is no Secret weft-system\/weft-authority/,
  );
  api.objects.set(secretPath, { data: { 'tls.crt': 'eA==' } });
  await expect(createAuthority(api.hook, given, 0)).rejects.toThrow(/lacks tls.key, ca.crt/);
  expect(api.objects.has(rootsPath)).toBe(false);
});
