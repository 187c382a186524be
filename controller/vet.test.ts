import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { policyYaml, routeYaml, serviceYaml, sliceYaml, workloadYaml } from './test-fixture.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-v-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function vet(...flags: string[]) {
  const program = join(import.meta.dirname, 'vet.js');
  const result = spawnSync(process.execPath, [program, '--folder', folder, ...flags], { encoding: 'utf8' });
  return { ...result, stdout: result.stdout.replaceAll(folder, 'DIR') };
}

const write = (name: string, ...documents: string[]) =>
  writeFileSync(join(folder, name), documents.join('---'));

test('a good folder is told as such', () => {
  write(
    'a.yaml',
    serviceYaml('web', '10.0.0.1'),
    sliceYaml('web', '10.1.0.1'),
    workloadYaml('web', '10.1.0.1'),
  );
  expect(vet()).toMatchObject({ status: 0, stdout: '3 manifests, 0 errors, 0 warnings\n' });
});

test('everything wrong is told by file and line, and fails', () => {
  write('b.yaml', routeYaml('r', 'web', 'web').replace('port: 80', 'port: eighty'));
  write(
    'a.yaml',
    serviceYaml('web', '10.0.0.1').replace('name: http', 'name: web'),
    policyYaml('p', '  action: DENY\n  rules: [{}]'),
  );
  expect(vet()).toMatchObject({
    status: 1,
    stdout: `warning: DIR/a.yaml:7: Service shop/web: spec.ports[0] "80" is carried as opaque TCP unless it declares its protocol; fix: set appProtocol, or begin its name with http-, grpc- or tcp- (in force as written)
warning: DIR/a.yaml:12: AuthorizationPolicy shop/p: spec protects no known workload; fix: check selector and namespace (in force as written)
error: DIR/b.yaml:8: HTTPRoute shop/r: spec.rules[0].backendRefs[0].port "eighty" is no whole number in range; fix: write a whole number from 1 to 65535 without quotes (not in force)
2 manifests, 1 errors, 2 warnings
`,
  });
  const report = JSON.parse(vet('--output', 'json').stdout) as {
    errors: number;
    problems: { field: string }[];
  };
  expect(report).toMatchObject({ errors: 1, warnings: 2 });
  expect(report.problems.at(-1)?.field).toBe('spec.rules[0].backendRefs[0].port');
});

test('warnings fail only where they are asked to', () => {
  write('a.yaml', serviceYaml('web', '10.0.0.1'), routeYaml('r', 'web', 'none'));
  expect(vet().status).toBe(0);
  expect(vet('--strict').status).toBe(1);
});

test('a folder that is missing is an error of its own', () => {
  rmSync(folder, { recursive: true });
  expect(vet()).toMatchObject({ status: 2, stderr: expect.stringMatching(/cannot read the folder/) });
});

const peerYaml = (mode: string) => `
apiVersion: weft.dev/v1alpha1
kind: PeerAuthentication
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, mode: ${mode}}
`;

const warnings = (...documents: string[]) => {
  write(
    'a.yaml',
    serviceYaml('web', '10.0.0.1'),
    sliceYaml('web', '10.1.0.1'),
    workloadYaml('web', '10.1.0.1'),
    ...documents,
  );
  return vet()
    .stdout.split('\n')
    .filter((line) => line.startsWith('warning'))
    .map((line) => line.replace(/^.* AuthorizationPolicy shop\/p: /, '').replace(/; fix.*/, ''));
};

test('a policy that asks for proofs is held against what its targets` ports demand', () => {
  const policy = policyYaml('p', '  action: ALLOW\n  requireAuthenticated: true\n  rules: [{}]');
  expect(warnings(policy)).toEqual([
    'spec.requireAuthenticated "true" refuses callers without TLS, which port 8080 of shop/web still takes',
  ]);
  expect(warnings(policy, peerYaml('Disabled'))).toEqual([
    'spec.requireAuthenticated "true" refuses every caller of port 8080 of shop/web, where nobody can prove anything: its mutual TLS is disabled',
  ]);
  expect(warnings(policy, peerYaml('Strict'))).toEqual([]);
});

test('rules by identity where mutual TLS is disabled are warned of', () => {
  const policy = policyYaml('p', '  action: ALLOW\n  rules: [{sources: {serviceAccounts: [shop/web]}}]');
  expect(warnings(policy, peerYaml('Disabled'))).toEqual([
    'spec.rules[0].sources is told by address alone on port 8080 of shop/web, whose mutual TLS is disabled',
  ]);
  expect(warnings(policy)).toEqual([]);
});

test('rules about requests on ports of opaque bytes are warned of', () => {
  const rules = (ports: string) => `  action: ALLOW\n  rules: [{${ports}http: {methods: [GET]}}]`;
  expect(warnings(policyYaml('p', rules('')))).toEqual([]);
  expect(warnings(policyYaml('p', rules('ports: [8080], ')))).toEqual([]);
  expect(warnings(policyYaml('p', rules('ports: [9000], ')))).toEqual([
    'spec.rules[0].ports "9000" is about requests, and port 9000 of shop/web carries opaque bytes: the rule never matches there',
  ]);
  write('b.yaml', policyYaml('q', rules('')));
  write(
    'a.yaml',
    workloadYaml('web', '10.1.0.1').replace('spec:', 'spec:\n  ports: [{name: tcp, port: 9000}]'),
  );
  expect(vet().stdout).toMatch(
    /spec.rules\[0\].http is about requests, and no port of what the policy protects carries any/,
  );
});
