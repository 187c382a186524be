/** How a workload is called in metrics: by its app, never by its pod (docs/telemetry.md). */
import type { Workload } from '../../../model/workload.js';

export const unknownLabel = 'unknown';

/** Suffixes that controllers generate: ReplicaSet hash and pod id, a pod id, a StatefulSet's ordinal. */
const generatedSuffix =
  /(?:-[a-z0-9]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}|-[bcdfghjklmnpqrstvwxz2456789]{5}|-[0-9]+)$/;

/** The label `app.kubernetes.io/name`, then `app`, then the name without a generated suffix. */
export function workloadLabel(workload: Pick<Workload, 'name' | 'labels'>): string {
  const declared = workload.labels['app.kubernetes.io/name'] ?? workload.labels.app;
  if (declared !== undefined && declared !== '') return declared;
  const shortened = workload.name.replace(generatedSuffix, '');
  return shortened === '' ? workload.name : shortened;
}
