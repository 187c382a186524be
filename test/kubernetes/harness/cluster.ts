/** The running cluster of test/cluster, driven as its administrator drives it: by kubectl and by its scripts. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './wait.js';

const run = promisify(execFile);
const scripts = join(import.meta.dirname, '../../../../test/cluster');

/** The administrator's kubeconfig. Throws where no cluster is up. */
export function kubeconfig(): string {
  const path = process.env.KUBECONFIG;
  if (path === undefined || path === '') {
    throw new Error(
      'KUBECONFIG is not set; fix: run make test-cluster, or export KUBECONFIG=$(test/cluster/up)',
    );
  }
  return path;
}

async function script(name: string, args: readonly string[], input?: string): Promise<string> {
  const done = run(join(scripts, name), args, { maxBuffer: 64 * 1024 * 1024 });
  if (input !== undefined) done.child.stdin?.end(input);
  try {
    return (await done).stdout;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`${name} ${args.join(' ')}: ${stderr ?? ''}`.trim(), { cause: error });
  }
}

/** Runs kubectl and returns what it prints; rejects with what it says. */
export function kubectl(...args: readonly string[]): Promise<string> {
  return script('kubectl', args);
}

/** `kubectl apply` of YAML. */
export function apply(yaml: string, ...more: readonly string[]): Promise<string> {
  return script('kubectl', ['apply', ...more, '-f', '-'], yaml);
}

/** What kubectl says of an object that the API server must refuse. */
export async function applyRefused(yaml: string): Promise<string> {
  try {
    await apply(yaml, '--dry-run=server');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error(`was accepted:\n${yaml}`);
}

export async function getJson(...args: readonly string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await kubectl('get', '-o', 'json', ...args)) as Record<string, unknown>;
}

/** Stops, starts or restarts a daemon of a node. */
export async function daemon(
  node: string,
  name: string,
  action: 'stop' | 'start' | 'restart',
): Promise<void> {
  await script('daemon', [node, name, action]);
}

/** Resolves once the API server answers again after a restart. */
export async function apiServerReady(): Promise<void> {
  const ask = () => kubectl('get', '--raw', '/readyz').catch(String);
  await eventually('API server', ask, (answer) => answer === 'ok', 60_000);
}

/** Makes etcd forget every version but the present one, through its own API. */
export async function compactEtcd(): Promise<void> {
  const pki = join(kubeconfig(), '../pki');
  const ask = (path: string, body: object) =>
    onNode(
      'node1',
      ...['curl', '-sS', '--fail', '--cacert', `${pki}/etcd-ca.crt`],
      ...['--cert', `${pki}/apiserver-etcd.crt`, '--key', `${pki}/apiserver-etcd.key`],
      ...['-d', JSON.stringify(body), `https://127.0.0.1:2379/v3/${path}`],
    );
  const { header } = JSON.parse(await ask('kv/range', { key: 'AA==' })) as { header: { revision: string } };
  await ask('kv/compaction', { revision: header.revision, physical: true });
}

/** Runs a command on a node. */
export function onNode(node: string, ...command: readonly string[]): Promise<string> {
  return script('on', [node, ...command]);
}

/** Makes an image of one static program, and imports it into every node. */
export async function importStaticImage(name: string, program: string): Promise<void> {
  await script('image', [name, '--static', program]);
}

/** Makes a namespace of its own name, and returns it once pods can be made in it. */
export async function createNamespace(labels: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = `weft-test-${randomBytes(4).toString('hex')}`;
  await apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));
  // Without it no pod is taken; the controllers may still be coming back from a test that stopped the API server.
  await kubectl('wait', '--for=create', 'serviceaccount/default', '-n', name, '--timeout=90s');
  return name;
}

/** Removes a namespace without waiting for what is in it. */
export async function deleteNamespace(name: string): Promise<void> {
  await kubectl('delete', 'namespace', name, '--wait=false', '--ignore-not-found');
}

/** Gateway API's kinds, which a cluster does not bring along. */
export async function installGatewayApi(): Promise<void> {
  const folder = join(kubeconfig(), '../gateway-api/standard');
  await kubectl('apply', '--server-side', '-f', folder);
}

/** Weft's own kinds. */
export async function installCrds(): Promise<void> {
  await kubectl('apply', '--server-side', '-f', join(scripts, '../../deploy/crds'));
  await kubectl('wait', '--for=condition=Established', 'crd', '-l', 'app.kubernetes.io/part-of=weft');
}
