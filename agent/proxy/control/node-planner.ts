/** Makes the node's plan of each snapshot, and tells capture what of it is new. */
import type { Snapshot } from '../../../model/snapshot.js';
import type { Enrolment, KernelRules } from '../../handover/messages.js';
import type { HandoverClient } from './handover-client.js';
import { NodePlan } from './plan-node.js';
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
 * Changes within so long of each other make one plan, since capture takes all rules where one differs; longer where the last
 * plan took longer until it was in force, so that neither process is busy with plans for more than a fifth of the time, up
 * to a limit.
 */
const planDelayMs = 20;
const maxPlanDelayMs = 500;
const restPerPlan = 4;

export class NodePlanner {
  readonly #parts: NodePlannerParts;
  #timer: Timer | undefined;
  readonly #plan: NodePlan;
  #planned = false;
  #lastPlanMs = 0;
  /** When the plan was begun whose rules capture is taking in; undefined: it takes none. */
  #applyingSince: number | undefined;
  /** Another snapshot came meanwhile. */
  #isBehind = false;
  #publishedRules: KernelRules | undefined;
  #publishedNamespaces: readonly string[] | undefined;

  constructor(parts: NodePlannerParts) {
    this.#parts = parts;
    this.#plan = new NodePlan(parts.node);
  }

  /** Whether there has been a plan. */
  get planned(): boolean {
    return this.#planned;
  }

  /** Another snapshot is in force. */
  schedule(): void {
    if (this.#timer !== undefined) return;
    // The first one is not held up: nothing is served yet.
    if (!this.#planned && this.#parts.snapshot().mesh !== null) this.#tell();
    else {
      const delayMs = Math.min(Math.max(planDelayMs, restPerPlan * this.#lastPlanMs), maxPlanDelayMs);
      this.#timer = this.#parts.timers.after(delayMs, () => {
        this.#timer = undefined;
        this.#tell();
      });
    }
  }

  /** Capture may hold another proxy's rules, or none: all is told again. */
  restart(): void {
    this.#applyingSince = undefined;
    this.#publishedRules = undefined;
    this.#publishedNamespaces = undefined;
    if (this.#parts.snapshot().mesh !== null) this.#tell();
  }

  /** Capture has put the rules in force. */
  rulesApplied(): void {
    if (this.#applyingSince === undefined) return;
    this.#lastPlanMs = this.#parts.timers.now() - this.#applyingSince;
    this.#applyingSince = undefined;
    if (this.#isBehind) this.schedule();
  }

  /** Capture refused the rules: the next plan tells them again. */
  rulesRefused(): void {
    this.#publishedRules = undefined;
    this.rulesApplied();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Rules before enrolments: a workload is never captured under groups that the kernel does not know. */
  #tell(): void {
    const { capture, timers, onEnrolments } = this.#parts;
    if (capture.standing !== 'leading') return;
    this.#isBehind = this.#applyingSince !== undefined;
    if (this.#isBehind) return;
    const begunMs = timers.now();
    const snapshot = this.#parts.snapshot();
    this.#plan.update(snapshot);
    this.#planned = true;
    const rules = this.#plan.kernelRules;
    if (rules !== this.#publishedRules && capture.ready) {
      this.#publishedRules = rules;
      this.#applyingSince = begunMs;
      capture.publishRules(rules);
    }
    const namespaces = snapshot.mesh?.enrolledNamespaces;
    if (namespaces !== undefined && namespaces !== this.#publishedNamespaces && capture.ready) {
      this.#publishedNamespaces = namespaces;
      capture.holdNamespaces(namespaces);
    }
    this.#lastPlanMs = timers.now() - begunMs;
    onEnrolments(this.#plan.enrolments);
  }
}
