/** Makes the node's plan of each snapshot, and tells capture what of it is new. */
import { type GroupTable, noGroups } from '../../../model/compile-kernel-rules.js';
import type { Snapshot } from '../../../model/snapshot.js';
import type { Enrolment } from '../../handover/messages.js';
import type { HandoverClient } from './handover-client.js';
import { planNode } from './plan-node.js';
import type { Timer, Timers } from './timers.js';

export interface NodePlannerParts {
  readonly node: string;
  readonly timers: Timers;
  /** The one in force. */
  readonly snapshot: () => Snapshot;
  readonly capture: Pick<HandoverClient, 'standing' | 'ready' | 'publishRules' | 'holdNamespaces'>;
  /** The workloads that a new plan wants captured; the kernel's rules for them are published. */
  readonly onEnrolments: (enrolments: readonly Enrolment[]) => void;
}

/**
 * Plans cost the size of the mesh: changes within so long of each other make one; longer where the last plan took longer, so
 * that planning never takes more than a fifth of the thread's time, up to a limit.
 */
const planDelayMs = 20;
const maxPlanDelayMs = 500;
const restPerPlan = 4;

export class NodePlanner {
  readonly #parts: NodePlannerParts;
  #timer: Timer | undefined;
  #groups: GroupTable = noGroups;
  #planned = false;
  #lastPlanMs = 0;
  #publishedRules = '';
  #publishedNamespaces: readonly string[] | undefined;

  constructor(parts: NodePlannerParts) {
    this.#parts = parts;
  }

  /** Whether there has been a plan. */
  get planned(): boolean {
    return this.#planned;
  }

  /** Another snapshot is in force. */
  schedule(): void {
    if (this.#timer !== undefined) return;
    // The first one is not held up: nothing is served yet.
    if (!this.#planned && this.#parts.snapshot().mesh !== null) this.#plan();
    else {
      const delayMs = Math.min(Math.max(planDelayMs, restPerPlan * this.#lastPlanMs), maxPlanDelayMs);
      this.#timer = this.#parts.timers.after(delayMs, () => {
        this.#timer = undefined;
        this.#plan();
      });
    }
  }

  /** Capture may hold another proxy's rules, or none: all is told again. */
  restart(): void {
    this.#publishedRules = '';
    this.#publishedNamespaces = undefined;
    if (this.#parts.snapshot().mesh !== null) this.#plan();
  }

  /** Capture refused the rules: the next plan tells them again. */
  rulesRefused(): void {
    this.#publishedRules = '';
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Rules before enrolments: a workload is never captured under groups that the kernel does not know. */
  #plan(): void {
    const { node, capture, timers, onEnrolments } = this.#parts;
    if (capture.standing !== 'leading') return;
    const begunMs = timers.now();
    const snapshot = this.#parts.snapshot();
    const plan = planNode(snapshot, node, this.#groups);
    this.#groups = plan.groups;
    this.#planned = true;
    const text = JSON.stringify(plan.kernelRules);
    if (text !== this.#publishedRules && capture.ready) {
      this.#publishedRules = text;
      capture.publishRules(plan.kernelRules);
    }
    const namespaces = snapshot.mesh?.enrolledNamespaces;
    if (namespaces !== undefined && namespaces !== this.#publishedNamespaces && capture.ready) {
      this.#publishedNamespaces = namespaces;
      capture.holdNamespaces(namespaces);
    }
    this.#lastPlanMs = timers.now() - begunMs;
    onEnrolments(plan.enrolments);
  }
}
