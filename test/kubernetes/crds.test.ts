import { ownKindExamples } from '../../controller/parse/test-examples.js';
import { apply, applyRefused, getJson, installCrds, kubectl } from './harness/cluster.js';

beforeAll(installCrds);

const accepted = ownKindExamples.filter(({ refused }) => !refused?.api);
const refusedByApi = ownKindExamples.flatMap(({ what, yaml, refused }) =>
  refused?.api ? [{ what, yaml, message: refused.api }] : [],
);

test.each(accepted)('$what is accepted', async ({ yaml }) => {
  await expect(apply(yaml, '--dry-run=server')).resolves.toMatch(/created/);
});

test.each(refusedByApi)('$what is refused with the reason', async ({ yaml, message }) => {
  expect(await applyRefused(yaml)).toMatch(message);
});

test.each([
  ['wap', 'authorizationpolicies.weft.dev'],
  ['wpa', 'peerauthentications.weft.dev'],
])('kubectl knows %s as %s', async (short, name) => {
  expect(await kubectl('get', short, '-n', 'default', '-o', 'name')).toBe('');
  expect(await kubectl('api-resources', '--api-group=weft.dev', '-o', 'name')).toContain(name);
});

test('defaults are filled in, columns show what was decided, and status is written apart from spec', async () => {
  await apply(ownKindExamples.find(({ what }) => what === 'a policy that allows nothing')?.yaml ?? '');
  try {
    const stored = await getJson('wap', 'example', '-n', 'default');
    expect(stored.spec).toEqual({ action: 'ALLOW', mode: 'Enforce', requireAuthenticated: false });
    const condition = {
      type: 'Accepted',
      status: 'True',
      reason: 'Accepted',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const patch = JSON.stringify({ status: { conditions: [condition] }, spec: { action: 'DENY' } });
    await kubectl(
      ...['patch', 'wap', 'example', '-n', 'default', '--subresource=status'],
      ...['--type=merge', '-p', patch],
    );
    const table = await kubectl('get', 'wap', 'example', '-n', 'default');
    expect(table).toMatch(/NAME\s+ACTION\s+MODE\s+ACCEPTED\s+AGE\nexample\s+ALLOW\s+Enforce\s+True\s/);
  } finally {
    await kubectl('delete', 'wap', 'example', '-n', 'default');
  }
});

test("a mesh's trust domain cannot change", async () => {
  const mesh = (domain: string) =>
    `{apiVersion: weft.dev/v1alpha1, kind: Mesh, metadata: {name: example}, spec: {trustDomain: ${domain}}}`;
  await apply(mesh('a'));
  try {
    expect(await applyRefused(mesh('b'))).toMatch(/cannot change while identities of it are in use/);
  } finally {
    await kubectl('delete', 'mesh', 'example');
  }
});
