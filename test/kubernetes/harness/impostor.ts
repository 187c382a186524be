/** A process on a node of the cluster that has tokens, and says to the controller that it is whoever it likes. */
import { join } from 'node:path';
import { getJson, kubectl, onNode } from './cluster.js';
import { weftNamespace } from './release.js';

const program = join(import.meta.dirname, 'impostor-program.js');

export type Attempt =
  /** As a node, by a token. What it gets it proves in all that follows. */
  | { readonly kind: 'join'; readonly token: string; readonly node: string }
  /** As a node, the identity of a workload. */
  | { readonly kind: 'issue'; readonly node: string; readonly workload: string; readonly spiffeId: string };

export interface Attempts {
  /** HOST:PORT of a controller. */
  readonly address: string;
  /** PEM. */
  readonly roots: string;
  readonly trustDomain: string;
  readonly attempts: readonly Attempt[];
}

/** What each attempt ends with: `given`, or the name under which it was refused. */
export async function impersonate(node: string, attempts: readonly Attempt[]): Promise<string[]> {
  const own = ['-n', weftNamespace];
  const { items } = (await getJson(...own, 'pods', '-l', 'app.kubernetes.io/name=weft-controller')) as {
    items: { status: { podIP: string } }[];
  };
  const { data } = (await getJson(...own, 'configmap', 'weft-roots')) as { data: Record<string, string> };
  const asked: Attempts = {
    ...{ address: `${items[0]?.status.podIP}:15012`, roots: data['ca.crt'] ?? '' },
    ...{ trustDomain: 'cluster.local', attempts },
  };
  return JSON.parse(await onNode(node, process.execPath, program, JSON.stringify(asked))) as string[];
}

/** A token as kubelet would give it to a pod, of its service account and for an audience; `pod` null: of no pod. */
export async function createToken(
  namespace: string,
  account: string,
  pod: string | null,
  audience = 'weft',
): Promise<string> {
  const bound = pod === null ? [] : ['--bound-object-kind=Pod', `--bound-object-name=${pod}`];
  const words = ['create', 'token', account, `--audience=${audience}`, ...bound];
  return (await kubectl('-n', namespace, ...words)).trim();
}
