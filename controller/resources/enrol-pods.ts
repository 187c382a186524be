/** Which pods of a cluster are enrolled, and what their node says about them. */
import type { Capture, Locality } from '../../model/workload.js';
import { Each } from '../derive/derived.js';
import type { Table } from '../derive/table.js';
import type { NamespaceManifest, PodFacts, WorkloadManifest } from '../parse/manifest.js';
import { failModeAnnotation, meshLabel, udpAnnotation } from '../parse/parse-pod.js';
import type { CrossCheck, Stored } from './cross-check.js';
import type { ManifestTables } from './manifest-tables.js';

export interface ClusterSettings {
  /** Namespaces whose pods are never enrolled: weft's own, and those without which no pod starts. */
  readonly excludedNamespaces: readonly string[];
}

/** What stands against capturing a pod that is meant to be enrolled. */
export type Obstacle = 'host-network' | 'sandboxed';

/** Why a pod that is asked for cannot be captured; null where it can. */
export function findObstacle(pod: PodFacts): Obstacle | null {
  if (pod.hostNetwork) return 'host-network';
  // gVisor's and Kata's sockets are not the node's kernel's, so no program of it sees them.
  return pod.runtimeClass === '' ? null : 'sandboxed';
}

/** Whether the labels ask for the mesh: the pod's own where it has one, else its namespace's. */
export function isAskedFor(pod: PodFacts, namespaceLabel: string | undefined): boolean {
  return (pod.meshLabel ?? namespaceLabel) === 'enabled';
}

/** How a namespace stands to the mesh. */
export interface NamespaceStanding {
  readonly name: string;
  /** Its label, empty where it has none. */
  readonly label: string;
  /** Never in the mesh, whatever labels say. */
  readonly excluded: boolean;
}

/**
 * Workloads of a cluster's pods: captured where labels ask for it and nothing stands against it, with their node's
 * place. An enrolled pod's `capture.netns` is empty: its node finds the namespace by the pod's UID.
 */
export function derivePods(
  { workloads, nodes }: ManifestTables,
  namespaces: Table<NamespaceStanding>,
  { excludedNamespaces }: ClusterSettings,
): Table<Stored<WorkloadManifest>> {
  const places = new Each(nodes, ({ manifest }) => manifest.locality);
  return new Each(workloads, (stored, check) => {
    const { workload } = stored.manifest;
    const label = namespaces.get(workload.namespace)?.label;
    const locality = places.get(workload.node) ?? workload.locality;
    return enrolPod(stored, label, locality, excludedNamespaces, check);
  });
}

export function deriveNamespaces(
  { namespaces }: ManifestTables,
  { excludedNamespaces }: ClusterSettings,
): Table<NamespaceStanding> {
  return new Each(namespaces, (stored, check) => {
    const { id, labels } = stored.manifest;
    warnLabel(stored, id.name, labels[meshLabel], excludedNamespaces, check);
    const excluded = excludedNamespaces.includes(id.name);
    return { name: id.name, label: labels[meshLabel] ?? '', excluded };
  });
}

function enrolPod(
  stored: Stored<WorkloadManifest>,
  namespaceLabel: string | undefined,
  locality: Locality,
  excludedNamespaces: readonly string[],
  check: CrossCheck,
): Stored<WorkloadManifest> {
  const { manifest } = stored;
  const { pod, workload } = manifest;
  if (pod === undefined) return stored;
  warnLabel(stored, workload.namespace, pod.meshLabel, excludedNamespaces, check);
  const excluded = pod.ended || excludedNamespaces.includes(workload.namespace);
  const asked = !excluded && isAskedFor(pod, namespaceLabel);
  const obstacle = findObstacle(pod);
  if (asked && obstacle !== null) warnObstacle(stored, obstacle, pod, check);
  const capture = asked && obstacle === null ? captureOf(stored, pod, check) : null;
  return { ...stored, manifest: { ...manifest, workload: { ...workload, locality, capture } } };
}

function captureOf(stored: Stored<WorkloadManifest>, pod: PodFacts, check: CrossCheck): Capture {
  const choose = <Name extends string>(annotation: string, names: readonly [Name, ...Name[]]): Name => {
    const text = pod.annotations[annotation] ?? names[0];
    const found = names.find((name) => name === text);
    if (found === undefined) {
      const path = ['metadata', 'annotations', annotation];
      const message = `is not a known value; ${names[0]} is in force`;
      check.warning(stored, path, text, message, `use one of ${names.join(', ')}`);
    }
    return found ?? names[0];
  };
  return {
    netns: '',
    failMode: choose(failModeAnnotation, ['closed', 'open']),
    udp: choose(udpAnnotation, ['allow', 'deny']),
    probePorts: pod.probePorts,
  };
}

function warnObstacle(
  stored: Stored<WorkloadManifest>,
  obstacle: Obstacle,
  pod: PodFacts,
  check: CrossCheck,
): void {
  const optOut = `set label ${meshLabel}: disabled on the pod`;
  if (obstacle === 'host-network') {
    const message = "shares its node's network, so the pod is not enrolled";
    check.warning(stored, ['spec', 'hostNetwork'], true, message, optOut, 'HostNetwork');
  } else {
    const message = 'has a kernel of its own, so the pod is not enrolled';
    const fix = `use the default runtime, or ${optOut}`;
    const path = ['spec', 'runtimeClassName'];
    check.warning(stored, path, pod.runtimeClass, message, fix, 'Sandboxed');
  }
}

/** A label that is misspelt, or on what cannot be enrolled, enrols nobody. */
function warnLabel(
  stored: Stored<WorkloadManifest> | Stored<NamespaceManifest>,
  namespace: string,
  value: string | undefined,
  excludedNamespaces: readonly string[],
  check: CrossCheck,
): void {
  const path = ['metadata', 'labels', meshLabel];
  if (value === 'enabled' && excludedNamespaces.includes(namespace)) {
    const message = `enrols nobody: namespace ${namespace} is never in the mesh`;
    check.warning(stored, path, value, message, 'remove the label');
  } else if (value !== undefined && value !== 'enabled' && value !== 'disabled') {
    check.warning(stored, path, value, 'enrols nobody', 'write enabled or disabled');
  }
}
