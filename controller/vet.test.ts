import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { policyYaml, routeYaml, serviceYaml, sliceYaml, workloadYaml } from './test-fixture.js';
import { formatVet, readManifests, vetManifests } from './vet.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-v-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function vet() {
  const report = vetManifests(await readManifests(folder));
  return { report, text: formatVet(report).replaceAll(folder, 'DIR') };
}

const write = (name: string, ...documents: string[]) =>
  writeFileSync(join(folder, name), documents.join('---'));

test('a good folder is told as such', async () => {
  write(
    'a.yaml',
    serviceYaml('web', '10.0.0.1'),
    sliceYaml('web', '10.1.0.1'),
    workloadYaml('web', '10.1.0.1'),
  );
  expect((await vet()).text).toBe('3 manifests, 0 errors, 0 warnings\n');
});

test('everything wrong is told by file and line', async () => {
  write('b.yaml', routeYaml('r', 'web', 'web').replace('port: 80', 'port: eighty'));
  write(
    'a.yaml',
    serviceYaml('web', '10.0.0.1').replace('name: http', 'name: web'),
    policyYaml('p', '  action: DENY\n  rules: [{}]'),
  );
  const { report, text } = await vet();
  expect(
    text,
  ).toBe(`warning: DIR/a.yaml:7: Service shop/web: spec.ports[0] "80" is carried as opaque TCP unless it declares its protocol; fix: set appProtocol, or begin its name with http-, grpc- or tcp- (in force as written)
warning: DIR/a.yaml:12: AuthorizationPolicy shop/p: spec protects no known workload; fix: check selector and namespace (in force as written)
error: DIR/b.yaml:8: HTTPRoute shop/r: spec.rules[0].backendRefs[0].port "eighty" is no whole number in range; fix: write a whole number from 1 to 65535 without quotes (not in force)
2 manifests, 1 errors, 2 warnings
`);
  expect(report).toMatchObject({ errors: 1, warnings: 2 });
  expect(report.problems.at(-1)?.field).toBe('spec.rules[0].backendRefs[0].port');
});

test('one file is read as a folder is', async () => {
  write('a.yaml', serviceYaml('web', '10.0.0.1'));
  write('b.yaml', 'kind: Service');
  expect(vetManifests(await readManifests(join(folder, 'a.yaml')))).toMatchObject({
    manifests: 1,
    errors: 0,
  });
});

test('a folder that is missing is an error of its own', async () => {
  rmSync(folder, { recursive: true });
  await expect(readManifests(folder)).rejects.toThrow(/cannot read the folder or file/);
});

const peerYaml = (mode: string) => `
apiVersion: weft.dev/v1alpha1
kind: PeerAuthentication
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, mode: ${mode}}
`;

const warnings = async (...documents: string[]) => {
  write(
    'a.yaml',
    serviceYaml('web', '10.0.0.1'),
    sliceYaml('web', '10.1.0.1'),
    workloadYaml('web', '10.1.0.1'),
    ...documents,
  );
  return (await vet()).text
    .split('\n')
    .filter((line) => line.startsWith('warning'))
    .map((line) => line.replace(/^.* AuthorizationPolicy shop\/p: /, '').replace(/; fix.*/, ''));
};

test('a policy that asks for proofs is held against what its targets` ports demand', async () => {
  const policy = policyYaml('p', '  action: ALLOW\n  requireAuthenticated: true\n  rules: [{}]');
  expect(await warnings(policy)).toEqual([
    'spec.requireAuthenticated "true" refuses callers without TLS, which port 8080 of shop/web still takes',
  ]);
  expect(await warnings(policy, peerYaml('Disabled'))).toEqual([
    'spec.requireAuthenticated "true" refuses every caller of port 8080 of shop/web, where nobody can prove anything: its mutual TLS is disabled',
  ]);
  expect(await warnings(policy, peerYaml('Strict'))).toEqual([]);
});

test('rules by identity where mutual TLS is disabled are warned of', async () => {
  const policy = policyYaml('p', '  action: ALLOW\n  rules: [{sources: {serviceAccounts: [shop/web]}}]');
  expect(await warnings(policy, peerYaml('Disabled'))).toEqual([
    'spec.rules[0].sources is told by address alone on port 8080 of shop/web, whose mutual TLS is disabled',
  ]);
  expect(await warnings(policy)).toEqual([]);
});

test('rules about requests on ports of opaque bytes are warned of', async () => {
  const rules = (ports: string) => `  action: ALLOW\n  rules: [{${ports}http: {methods: [GET]}}]`;
  expect(await warnings(policyYaml('p', rules('')))).toEqual([]);
  expect(await warnings(policyYaml('p', rules('ports: [8080], ')))).toEqual([]);
  expect(await warnings(policyYaml('p', rules('ports: [9000], ')))).toEqual([
    'spec.rules[0].ports "9000" is about requests, and port 9000 of shop/web carries opaque bytes: the rule never matches there',
  ]);
  write('b.yaml', policyYaml('q', rules('')));
  write(
    'a.yaml',
    workloadYaml('web', '10.1.0.1').replace('spec:', 'spec:\n  ports: [{name: tcp, port: 9000}]'),
  );
  expect((await vet()).text).toMatch(
    /spec.rules\[0\].http is about requests, and no port of what the policy protects carries any/,
  );
});
