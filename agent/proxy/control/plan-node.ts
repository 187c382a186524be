/** What capture shall do on this node by a snapshot: which workloads it captures, and what the kernel decides. */
import { permitsFailOpen } from '../../../model/authorize.js';
import { compileKernelRules, type GroupTable } from '../../../model/compile-kernel-rules.js';
import { isStrict } from '../../../model/mtls.js';
import { programOf, type Snapshot, type WorkloadView } from '../../../model/snapshot.js';
import type { Enrolment, KernelRules } from '../../handover/messages.js';

export interface NodePlan {
  readonly enrolments: readonly Enrolment[];
  readonly kernelRules: KernelRules;
  /** For the next plan: groups keep their numbers. */
  readonly groups: GroupTable;
}

/** Costs the size of the mesh: call it once per burst of changes. */
export function planNode(snapshot: Snapshot, node: string, before: GroupTable): NodePlan {
  const { kernelRules, groups, groupOf } = compileKernelRules(snapshot, node, before);
  const enrolments: Enrolment[] = [];
  for (const [uid, group] of groupOf) {
    const view = snapshot.workloads.get(uid);
    const enrolment = view === undefined ? null : enrolmentOf(snapshot, view, node, group);
    if (enrolment !== null) enrolments.push(enrolment);
  }
  enrolments.sort((a, b) => (a.workload < b.workload ? -1 : 1));
  return { enrolments, kernelRules, groups };
}

function enrolmentOf(snapshot: Snapshot, view: WorkloadView, node: string, group: number): Enrolment | null {
  const { workload } = view;
  const { capture } = workload;
  if (capture === null || workload.node !== node) return null;
  // A workload that a policy protects may not fail open: that would let past what the policy refuses.
  const open =
    capture.failMode === 'open' && !isStrict(workload.mtls) && permitsFailOpen(programOf(snapshot, view));
  return {
    workload: workload.uid,
    netns: capture.netns,
    addresses: workload.addresses,
    failMode: open ? 'open' : 'closed',
    udp: capture.udp,
    probePorts: capture.probePorts,
    group,
  };
}
