/** A node's container runtime, as an administrator changes it: its network configuration, and NRI. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemon, getJson, kubeconfig, onNode } from './cluster.js';
import { eventually } from './wait.js';

const configuration = '/etc/cni/net.d/10-bridge.conflist';

/** The types of the plugins that make a pod's network on a node, in order. */
export async function pluginsOf(node: string): Promise<string[]> {
  const { plugins } = JSON.parse(await onNode(node, 'cat', configuration)) as { plugins: { type: string }[] };
  return plugins.map(({ type }) => type);
}

/** Returns once weft-cni is the last of them. */
export async function chained(node: string): Promise<void> {
  await eventually(
    'weft-cni',
    () => pluginsOf(node),
    (plugins) => plugins.at(-1) === 'weft-cni',
    60_000,
  );
}

/** Writes the network as another CNI would that knows nothing of weft. */
export async function rewriteNetwork(node: string): Promise<void> {
  const network = JSON.parse(await onNode(node, 'cat', configuration)) as { plugins: { type: string }[] };
  network.plugins = network.plugins.filter(({ type }) => type !== 'weft-cni');
  const write = `cat > ${configuration}.tmp <<'END'\n${JSON.stringify(network)}\nEND\nmv ${configuration}.tmp ${configuration}`;
  await onNode(node, 'sh', '-c', write);
}

/** Turns the container runtime's NRI on or off, and returns once the node is ready again. */
export async function setNri(node: string, on: boolean): Promise<void> {
  const file = join(kubeconfig(), '..', node, 'containerd.toml');
  const text = readFileSync(file, 'utf8');
  const section = text.indexOf('[plugins."io.containerd.nri.v1.nri"]');
  const changed = text.slice(section).replace(/^( *disable = )(true|false)$/m, `$1${!on}`);
  writeFileSync(file, text.slice(0, section) + changed);
  await daemon(node, 'containerd', 'restart');
  const isReady = async () => {
    const { status } = (await getJson('node', node)) as {
      status: { conditions: { type: string; status: string }[] };
    };
    return status.conditions.find(({ type }) => type === 'Ready')?.status;
  };
  await eventually(
    'container runtime',
    () => onNode(node, 'ctr', 'version').catch(String),
    (text) => text.includes('Server'),
    90_000,
  );
  await eventually('ready node', isReady, (status) => status === 'True', 90_000);
}
