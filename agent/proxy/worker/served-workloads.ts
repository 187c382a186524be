/** The workloads whose listeners this worker holds, in step with the engine. */
import type { Snapshot } from '../../../model/snapshot.js';
import type { WorkloadLimits } from '../../../model/workload.js';
import { Direction, type Engine } from '../../../native/engine.js';
import { type LabelTable, unknownId } from '../telemetry/label-table.js';
import type { ToWorker } from './messages.js';
import type { ServedWorkload } from './served-workload.js';

type WorkloadEngine = Pick<
  Engine,
  'addWorkload' | 'setWorkload' | 'removeWorkload' | 'addListener' | 'addSockets'
>;

/** 0 is the engine's own default. */
const defaultLimits: WorkloadLimits = { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 };

export class ServedWorkloads {
  readonly #engine: WorkloadEngine;
  readonly #labels: LabelTable;
  readonly #closeDescriptor: (descriptor: number) => void;
  readonly #byHandle = new Map<number, ServedWorkload>();

  constructor(engine: WorkloadEngine, labels: LabelTable, closeDescriptor: (descriptor: number) => void) {
    this.#engine = engine;
    this.#labels = labels;
    this.#closeDescriptor = closeDescriptor;
  }

  get byHandle(): ReadonlyMap<number, ServedWorkload> {
    return this.#byHandle;
  }

  /** A workload's first listeners, or further ones. */
  serve(message: Extract<ToWorker, { type: 'listeners' }>, snapshot: Snapshot): void {
    const { handle, uid, listeners, descriptors } = message;
    if (!this.#byHandle.has(handle)) {
      const workload = { handle, uid, labelId: unknownId };
      this.#byHandle.set(handle, workload);
      this.#engine.addWorkload(handle, defaultLimits);
      this.#refresh(workload, snapshot);
    }
    for (const [index, descriptor] of descriptors.entries()) {
      const outbound = listeners[index]?.direction === 'outbound';
      this.#engine.addListener(handle, outbound ? Direction.outbound : Direction.inbound, descriptor);
    }
  }

  withdraw(handle: number, graceMs: number): void {
    if (this.#byHandle.delete(handle)) this.#engine.removeWorkload(handle, graceMs);
  }

  /** Ready-made sockets; those of a workload that has left meanwhile are closed. */
  addSockets({ handle, family, descriptors }: Extract<ToWorker, { type: 'sockets' }>): void {
    if (this.#byHandle.has(handle)) this.#engine.addSockets(handle, family, descriptors);
    else for (const descriptor of descriptors) this.#closeDescriptor(descriptor);
  }

  /** Limits and labels of the workloads that changed. */
  follow(snapshot: Snapshot, touched: ReadonlySet<string>): void {
    if (touched.size === 0) return;
    for (const workload of this.#byHandle.values()) {
      if (touched.has(workload.uid)) this.#refresh(workload, snapshot);
    }
  }

  #refresh(workload: ServedWorkload, snapshot: Snapshot): void {
    const view = snapshot.workloads.get(workload.uid);
    if (view === undefined) return;
    workload.labelId = this.#labels.workloadId(view.workload.namespace, view.label);
    this.#engine.setWorkload(workload.handle, view.workload.limits);
  }
}
