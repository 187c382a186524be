/** Weft as a platform team installs it: its image on every node, its CRDs, and its chart by Helm. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getJson, installCrds, installGatewayApi, kubeconfig, onNode } from './cluster.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../../..');
const archive = join(root, 'build/images/weft.tar');

export const image = 'localhost/weft:0.1.0';
export const weftNamespace = 'weft-system';

export async function nodeNames(): Promise<string[]> {
  const { items } = (await getJson('nodes')) as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name);
}

/** Makes the image from what is built, and imports it into every node. */
export async function importImage(): Promise<void> {
  await run(join(root, 'scripts/build-images'), ['--name', image, '--output', archive]);
  for (const node of await nodeNames()) {
    await onNode(node, 'ctr', '-n', 'k8s.io', 'images', 'import', archive);
  }
}

/** Rejects with what Helm says. */
export async function helm(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, KUBECONFIG: kubeconfig() };
  try {
    return (await run(join(root, '.tools/helm'), args, { env, maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { stderr, stdout } = error as { stderr?: string; stdout?: string };
    throw new Error(`helm ${args.join(' ')}: ${stderr ?? ''}${stdout ?? ''}`.trim(), { cause: error });
  }
}

/** Returns once every part is ready. */
export async function installWeft(...values: readonly string[]): Promise<void> {
  await installGatewayApi();
  await installCrds();
  await helm(
    ...['install', 'weft', join(root, 'deploy/chart'), '--namespace', weftNamespace, '--create-namespace'],
    ...['--wait', '--timeout', '3m', '--set', 'node.kubeletCgroup=system'],
    ...values.flatMap((value) => ['--set', value]),
  );
}

export async function uninstallWeft(): Promise<void> {
  await helm('uninstall', 'weft', '--namespace', weftNamespace, '--wait', '--timeout', '5m');
}
