/** Weft as a platform team installs it: its image on every node, its CRDs, and its chart by Helm. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getJson, installCrds, installGatewayApi, kubeconfig, onNode } from './cluster.js';
import { eventually } from './wait.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../../..');
const archive = join(root, 'build/images/weft.tar');

export const image = 'localhost/weft:0.1.0';
export const weftNamespace = 'weft-system';

export async function nodeNames(): Promise<string[]> {
  const { items } = (await getJson('nodes')) as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name);
}

/** Makes the image from what is built, and imports it into every node that has another one. */
export async function loadImage(): Promise<void> {
  const built = await run(join(root, 'scripts/build-images'), ['--name', image, '--output', archive]);
  const { digest } = JSON.parse(built.stdout) as { digest: string };
  for (const node of await nodeNames()) {
    const held = await onNode(node, 'ctr', '-n', 'k8s.io', 'images', 'ls', `name==${image}`);
    if (held.includes(digest)) continue;
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

interface Metadata {
  readonly deletionTimestamp?: string;
}

/**
 * Returns once every part is ready and has these values, and nothing is left that had others: an agent may be served by a
 * controller that is about to end. What another file has installed is kept where the values are the same, and upgraded where
 * they are not.
 */
export async function installWeft(...values: readonly string[]): Promise<void> {
  await installGatewayApi();
  await installCrds();
  await helm(
    ...['upgrade', '--install', 'weft', join(root, 'deploy/chart')],
    ...['--namespace', weftNamespace, '--create-namespace', '--reset-values', '--wait', '--timeout', '5m'],
    ...['node.kubeletCgroup=system', 'node.drainSeconds=5', ...values].flatMap((value) => ['--set', value]),
  );
  const ending = async () => {
    const { items } = (await getJson('pods', '-n', weftNamespace)) as { items: { metadata: Metadata }[] };
    return items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).length;
  };
  await eventually('end of all former pods of weft', ending, (count) => count === 0, 120_000);
}

/** Takes out what is installed, whoever installed it. */
export async function uninstallWeft(): Promise<void> {
  const releases = await helm('list', '--namespace', weftNamespace, '--short');
  if (releases.trim() === '') return;
  await helm('uninstall', 'weft', '--namespace', weftNamespace, '--wait', '--timeout', '5m');
}
