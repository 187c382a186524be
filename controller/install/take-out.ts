/**
 * Takes weft off a cluster, before Helm deletes it: first everybody leaves the mesh in order, while controller and nodes
 * still work; then the kernel programs leave every node, and each node proves it. Nothing may be left behind, because a
 * pinned program that fails closed would cut off every pod that it knows.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { cleaningTemplate, isCleaning } from './cleaning-template.js';
import type { HookApi } from './hook-api.js';

export interface TakeOutObjects {
  readonly namespace: string;
  readonly mesh: string;
  readonly daemonSet: string;
  /** Objects that the install hook made, by path; removed last. */
  readonly leftovers: readonly string[];
}

export interface TakeOutParts {
  readonly api: HookApi;
  /** How many pods a node's proxy wants in the mesh. Rejects where it does not answer. */
  readonly countEnrolled: (address: string) => Promise<number>;
  readonly say: (message: string) => void;
  readonly lookMs: number;
  /** The time that each of the two steps may take. */
  readonly stepMs: number;
}

interface NodePod {
  readonly node: string;
  readonly address: string;
}

/** Rejects with what is not done on which nodes when the time is up; what was done stays, and it may be called again. */
export async function takeOut(parts: TakeOutParts, objects: TakeOutObjects): Promise<void> {
  const { api, say } = parts;
  const mesh = `/apis/weft.dev/v1alpha1/meshes/${objects.mesh}`;
  const daemonSet = `/apis/apps/v1/namespaces/${objects.namespace}/daemonsets/${objects.daemonSet}`;
  const found = await api.find(daemonSet);
  if (found === null) throw new Error(`there is no DaemonSet ${objects.daemonSet}: no node can be cleaned`);
  // A second attempt goes on where the first one ended.
  const cleaning = isCleaning(found);
  if (!cleaning && (await api.find(mesh)) !== null) {
    await api.patch(mesh, { spec: { enrolment: 'Disabled' } });
    say('everybody leaves the mesh');
    await until(parts, 'pods are still in the mesh', () => findEnrolling(parts, objects));
  }
  say('no pod is in the mesh; the kernel programs are removed');
  if (!cleaning) await api.replaceSpec(daemonSet, cleaningTemplate(found));
  await until(parts, 'the kernel programs are not proved to be gone', () => findUnclean(api, daemonSet));
  for (const path of objects.leftovers) await api.remove(path);
  say('every node has proved that nothing of weft is left in its kernel');
}

/** Nodes whose proxy still has pods, or does not answer. */
async function findEnrolling(
  parts: TakeOutParts,
  { namespace, daemonSet }: TakeOutObjects,
): Promise<string[]> {
  const pods = await listPods(parts.api, namespace, daemonSet);
  const answers = pods.map(async ({ node, address }) => {
    try {
      const count = await parts.countEnrolled(address);
      return count === 0 ? [] : [`${node} has ${count} pods`];
    } catch (error) {
      return [`${node} does not answer (${error instanceof Error ? error.message : String(error)})`];
    }
  });
  return (await Promise.all(answers)).flat();
}

async function listPods(api: HookApi, namespace: string, name: string): Promise<NodePod[]> {
  const query = { labelSelector: `app.kubernetes.io/name=${name}` };
  const list = await api.find(`/api/v1/namespaces/${namespace}/pods`, query);
  const items = (list?.items ?? []) as { spec?: { nodeName?: string }; status?: { podIP?: string } }[];
  return items.map(({ spec, status }) => ({
    node: spec?.nodeName ?? 'a pod without a node',
    address: status?.podIP ?? '',
  }));
}

/** A pod of the cleaning template is ready only once its node is clean. */
async function findUnclean(api: HookApi, daemonSet: string): Promise<string[]> {
  const found = await api.find(daemonSet);
  const generation = (found?.metadata as { generation?: number } | undefined)?.generation ?? 0;
  const status = (found?.status ?? {}) as Record<string, number | undefined>;
  const { observedGeneration = 0, desiredNumberScheduled = 0 } = status;
  const { updatedNumberScheduled = 0, numberAvailable = 0 } = status;
  if (observedGeneration < generation) return ['the DaemonSet`s controller has not seen the change'];
  const clean = Math.min(updatedNumberScheduled, numberAvailable);
  return clean >= desiredNumberScheduled ? [] : [`${clean} of ${desiredNumberScheduled} nodes are clean`];
}

async function until(parts: TakeOutParts, what: string, look: () => Promise<string[]>): Promise<void> {
  const deadline = performance.now() + parts.stepMs;
  // Twice: a node that has nothing may be about to be told of something older.
  for (let calm = 0; calm < 2; ) {
    const left = await look();
    calm = left.length === 0 ? calm + 1 : 0;
    if (left.length > 0 && performance.now() > deadline) throw new Error(`${what}: ${left.join('; ')}`);
    await delay(parts.lookMs);
  }
}
