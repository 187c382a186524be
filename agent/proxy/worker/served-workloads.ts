/** The workloads whose listeners this worker holds, in step with the engine. */

import type { Snapshot } from '../../../model/snapshot.js';
import type { WorkloadLimits } from '../../../model/workload.js';
import { Direction, type Engine } from '../../../native/engine.js';
import type { ReasonCode } from '../../../reasons/reasons.js';
import { toPem } from '../identity/to-pem.js';
import { type LabelTable, unknownId } from '../telemetry/label-table.js';
import type { ToWorker } from './messages.js';
import type { ServedWorkload } from './served-workload.js';

type WorkloadEngine = Pick<
  Engine,
  | 'addWorkload'
  | 'setWorkload'
  | 'retireWorkload'
  | 'removeWorkload'
  | 'addListener'
  | 'addSockets'
  | 'setIdentity'
  | 'removeIdentity'
>;

/** TLS connections under an identity that has ended may finish what runs for so long. */
const identityGraceMs = 1_000;

/** 0 is the engine's own default. */
const defaultLimits: WorkloadLimits = { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 };

export class ServedWorkloads {
  readonly #engine: WorkloadEngine;
  readonly #labels: LabelTable;
  readonly #closeDescriptor: (descriptor: number) => void;
  readonly #byHandle = new Map<number, ServedWorkload>();
  readonly #freePlaces: number[] = [];

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
    const { handle, listeners, descriptors } = message;
    this.#admit(message, snapshot);
    for (const [index, descriptor] of descriptors.entries()) {
      const outbound = listeners[index]?.direction === 'outbound';
      this.#engine.addListener(handle, outbound ? Direction.outbound : Direction.inbound, descriptor);
    }
  }

  /**
   * Who a workload is from now on; may come before its listeners. The key's bytes are wiped; its PEM text lives until
   * the garbage collector takes it. Throws where the engine refuses it: the identity before stays in force.
   */
  identify(message: Extract<ToWorker, { type: 'identity' }>, snapshot: Snapshot): void {
    const { spiffeId, generation, chain, privateKey, roots } = message;
    const workload = this.#admit(message, snapshot);
    const pem = (all: readonly Uint8Array[]) => all.map((der) => toPem('CERTIFICATE', der)).join('');
    try {
      this.#engine.setIdentity(message.handle, {
        certificate: pem(chain),
        key: toPem('PRIVATE KEY', privateKey),
        trust: pem(roots),
        spiffeId,
        generation,
      });
      workload.identified = true;
    } finally {
      privateKey.fill(0);
    }
  }

  /** Its identity is no longer in force: nothing new is done in its name, and what runs ends soon. */
  removeIdentity(handle: number, reason: ReasonCode): void {
    const workload = this.#byHandle.get(handle);
    if (workload?.identified !== true) return;
    workload.identified = false;
    this.#engine.removeIdentity(handle, reason, identityGraceMs);
  }

  /** Nothing new comes to it; what is there is served for `endMs` more. */
  retire(handle: number, endMs: number): void {
    if (this.#byHandle.has(handle)) this.#engine.retireWorkload(handle, endMs);
  }

  withdraw(handle: number, graceMs: number): void {
    const workload = this.#byHandle.get(handle);
    if (workload === undefined) return;
    this.#byHandle.delete(handle);
    this.#freePlaces.push(workload.place);
    this.#engine.removeWorkload(handle, graceMs);
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

  #admit(
    { handle, uid }: { readonly handle: number; readonly uid: string },
    snapshot: Snapshot,
  ): ServedWorkload {
    const known = this.#byHandle.get(handle);
    if (known !== undefined) return known;
    const place = this.#freePlaces.pop() ?? this.#byHandle.size;
    const workload: ServedWorkload = { handle, uid, place, labelId: unknownId, identified: false };
    this.#byHandle.set(handle, workload);
    this.#engine.addWorkload(handle, defaultLimits);
    this.#refresh(workload, snapshot);
    return workload;
  }

  #refresh(workload: ServedWorkload, snapshot: Snapshot): void {
    const view = snapshot.workloads.get(workload.uid);
    if (view === undefined) return;
    workload.labelId = this.#labels.workloadId(view.workload.namespace, view.label);
    this.#engine.setWorkload(workload.handle, view.workload.limits);
  }
}
