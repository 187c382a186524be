/** What capture shall do on this node by a snapshot: which workloads it captures, and what the kernel decides. */
import { permitsFailOpen } from '../../../model/authorize.js';
import { KernelPlan } from '../../../model/kernel-plan.js';
import { isStrict } from '../../../model/mtls.js';
import { emptySnapshot, programOf, type Snapshot, type WorkloadView } from '../../../model/snapshot.js';
import type { Enrolment, KernelRules } from '../../handover/messages.js';

/** Followed from one snapshot to the next, which costs what differs between them. */
export class NodePlan {
  readonly #node: string;
  readonly #kernel: KernelPlan;
  #snapshot: Snapshot = emptySnapshot;

  constructor(node: string) {
    this.#node = node;
    this.#kernel = new KernelPlan(node);
  }

  update(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#kernel.update(snapshot);
  }

  /** Another object where something differs from the update before. */
  get kernelRules(): KernelRules {
    return this.#kernel.kernelRules;
  }

  /** By uid. */
  get enrolments(): Enrolment[] {
    const found: Enrolment[] = [];
    for (const uid of [...this.#kernel.locals].sort()) {
      const view = this.#snapshot.workloads.get(uid);
      const group = this.#kernel.groupOf(uid);
      const enrolment = view === undefined ? null : enrolmentOf(this.#snapshot, view, this.#node, group);
      if (enrolment !== null) found.push(enrolment);
    }
    return found;
  }
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
