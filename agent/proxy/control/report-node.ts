/**
 * Tells the controller how this node's workloads stand, so that it moves them to TLS and back. A report is whole and
 * follows a burst of changes; what a delta releases is out of it before the delta is acknowledged.
 */
import type { NodeReportMessage } from '../../../proto/messages.js';
import type { Timer, Timers } from './timers.js';

export interface WorkloadStanding {
  readonly uid: string;
  /** Capture has it enrolled, a worker serves it, and the configuration in force still says so. */
  readonly captured: boolean;
  /** The transport proves its identity. */
  readonly identityReady: boolean;
}

export interface NodeReporterParts {
  readonly standings: () => WorkloadStanding[];
  /** All that the configuration wants is under way to its end; a first report before that would tell of losses. */
  readonly settled: () => boolean;
  readonly send: (report: NodeReportMessage) => void;
  readonly timers: Timers;
}

const gatherMs = 50;
/** The first report of a stream waits for so long until all has settled. */
const firstReportMs = 3000;

export class NodeReporter {
  readonly #parts: NodeReporterParts;
  #timer: Timer | undefined;
  /** When the stream was opened; null: there is none. */
  #openedMs: number | null = null;
  /** What was reported on this stream; null: nothing yet. */
  #sent: WorkloadStanding[] | null = null;

  constructor(parts: NodeReporterParts) {
    this.#parts = parts;
  }

  /** Hello was sent. */
  opened(): void {
    this.#openedMs = this.#parts.timers.now();
    this.#sent = null;
    this.changed();
  }

  closed(): void {
    this.#openedMs = null;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Something of {@link NodeReporterParts.standings} may be another now. */
  changed(): void {
    if (this.#openedMs === null) return;
    this.#timer ??= this.#parts.timers.after(gatherMs, () => {
      this.#timer = undefined;
      this.#report();
    });
  }

  /** A delta is in force and about to be acknowledged. */
  applied(): void {
    const captured = new Set(this.#parts.standings().flatMap((one) => (one.captured ? [one.uid] : [])));
    if (this.#sent?.some((one) => one.captured && !captured.has(one.uid))) this.#send();
  }

  #report(): void {
    if (this.#openedMs === null) return;
    const waited = this.#parts.timers.now() - this.#openedMs >= firstReportMs;
    if (this.#sent === null && !waited && !this.#parts.settled()) this.changed();
    else if (this.#sent === null || !equal(this.#sent, this.#parts.standings())) this.#send();
  }

  #send(): void {
    this.#sent = this.#parts.standings();
    this.#parts.send({ workloads: this.#sent });
  }
}

function equal(left: readonly WorkloadStanding[], right: readonly WorkloadStanding[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
