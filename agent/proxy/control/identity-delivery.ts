/**
 * Brings identities to the engines that use them: each workload's to the worker that serves it, and anew whenever its
 * certificate or the roots to trust change. A worker never holds another's key.
 */
import { Reason } from '../../../reasons/reasons.js';
import type { IdentityEvents } from '../identity/identity-manager.js';
import type { Identity } from '../identity/identity-state.js';
import type { ToWorker } from '../worker/messages.js';

/** Where a workload is served. */
export interface WorkloadPlace {
  readonly worker: number;
  readonly handle: number;
}

export interface IdentityDeliveryParts {
  /** undefined where the workload is not wanted (any more). */
  readonly placeOf: (workload: string) => WorkloadPlace | undefined;
  /** Moves the memory behind `transfer` to the worker. */
  readonly deliver: (worker: number, message: ToWorker, transfer: ArrayBuffer[]) => void;
  /** {@link IdentityDelivery.inForce} of some workload is another now. */
  readonly onChange: () => void;
}

interface Delivered {
  readonly identity: Identity;
  /** Of the delivery that came last. */
  generation: number;
  /** An engine has taken one of them. */
  inForce: boolean;
}

export class IdentityDelivery implements Pick<IdentityEvents, 'onPublished' | 'onWithdrawn' | 'onBundle'> {
  readonly #parts: IdentityDeliveryParts;
  readonly #published = new Map<string, Delivered>();
  #roots: readonly Uint8Array[] = [];
  /** Of what was delivered last: connections of an older one are not used again. */
  #generation = 0;

  constructor(parts: IdentityDeliveryParts) {
    this.#parts = parts;
  }

  onPublished(workload: string, identity: Identity): void {
    const inForce = this.inForce(workload);
    const delivered = { identity, generation: 0, inForce };
    this.#published.set(workload, delivered);
    this.#deliver(workload, delivered);
  }

  /** Whether the transport proves the workload's identity, and asks for its peers' in its name. */
  inForce(workload: string): boolean {
    return this.#published.get(workload)?.inForce === true;
  }

  /** A worker's engine has taken an identity. */
  installed(workload: string, generation: number): void {
    const delivered = this.#published.get(workload);
    if (delivered === undefined || delivered.inForce || delivered.generation !== generation) return;
    delivered.inForce = true;
    this.#parts.onChange();
  }

  onWithdrawn(workload: string, why: 'expired' | 'withdrawn'): void {
    const wasInForce = this.inForce(workload);
    this.#published.delete(workload);
    if (wasInForce) this.#parts.onChange();
    const place = this.#parts.placeOf(workload);
    if (place === undefined) return;
    const reason = why === 'expired' ? Reason.tls_expired_certificate : Reason.tls_no_identity;
    this.#parts.deliver(place.worker, { type: 'identity-withdrawn', handle: place.handle, reason }, []);
  }

  onBundle(roots: readonly Uint8Array[]): void {
    this.#roots = roots;
    for (const [workload, delivered] of this.#published) this.#deliver(workload, delivered);
  }

  /** The manager keeps its own copy of the key, for the vault; the worker gets one that it can wipe. */
  #deliver(workload: string, delivered: Delivered): void {
    const place = this.#parts.placeOf(workload);
    if (place === undefined) return;
    const { svid, chain, privateKey } = delivered.identity;
    this.#generation += 1;
    delivered.generation = this.#generation;
    const key = new Uint8Array(privateKey);
    const message: ToWorker = {
      type: 'identity',
      handle: place.handle,
      uid: workload,
      spiffeId: svid.spiffeId,
      generation: this.#generation,
      chain,
      privateKey: key,
      roots: this.#roots,
    };
    this.#parts.deliver(place.worker, message, [key.buffer]);
  }
}
