/** The workload label of metrics: the application, never the pod (docs/telemetry.md). */
import type { Workload } from './workload.js';

/**
 * What Kubernetes appends to a pod's name: its random part has no vowels and no 0, 1, 3 (Deployment: template hash
 * and random part; DaemonSet and Job: random part), or an ordinal (StatefulSet).
 */
const generatedSuffix =
  /(?:-[bcdfghjklmnpqrstvwxz2456789]{6,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}$|-[0-9]+$/;

/** `app.kubernetes.io/name`, then `app`, then the name; a pod's name without its generated suffix. */
export function workloadLabel(workload: Pick<Workload, 'kind' | 'name' | 'labels'>): string {
  const named = workload.labels['app.kubernetes.io/name'] || workload.labels.app;
  if (named) return named;
  const base = workload.kind === 'pod' ? workload.name.replace(generatedSuffix, '') : workload.name;
  return base || workload.name || 'unknown';
}
