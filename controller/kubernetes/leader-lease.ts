/**
 * Which of several controllers decides about transport and writes statuses: the holder of a Lease (coordination.k8s.io/v1), as client-go's leader
 * election has it. A lease ends by its holder's silence, measured by the observer's own clock.
 */
import { asRecord } from './api-object.js';

export interface LeaseTimes {
  /** Silence of the holder after which another may take the lease. */
  readonly durationMs: number;
  /** A holder that could not renew for so long writes no more; shorter than the duration. */
  readonly deadlineMs: number;
  /** Between two looks at the lease. */
  readonly intervalMs: number;
}

/** Annotation of a lease: {@link LeaseView.address}. */
export const addressAnnotation = 'weft.dev/address';

export const usualLeaseTimes: LeaseTimes = { durationMs: 15_000, deadlineMs: 10_000, intervalMs: 3000 };

/** A lease as it was read. */
export interface LeaseView {
  readonly resourceVersion: string;
  /** Empty: given up. */
  readonly holder: string;
  readonly durationMs: number;
  readonly transitions: number;
  /** RFC 3339; when the holder took it. */
  readonly acquireTime: string;
  /** Where other replicas reach the holder, `host:port`; empty where they do not. */
  readonly address: string;
}

/** null where it is no lease. */
export function readLease(body: unknown): LeaseView | null {
  const spec = asRecord(asRecord(body)?.spec);
  const metadata = asRecord(asRecord(body)?.metadata);
  const version = metadata?.resourceVersion;
  const address = asRecord(metadata?.annotations)?.[addressAnnotation];
  if (typeof version !== 'string' || spec === null) return null;
  const seconds = spec.leaseDurationSeconds;
  return {
    resourceVersion: version,
    holder: typeof spec.holderIdentity === 'string' ? spec.holderIdentity : '',
    durationMs: (typeof seconds === 'number' ? seconds : 15) * 1000,
    transitions: typeof spec.leaseTransitions === 'number' ? spec.leaseTransitions : 0,
    acquireTime: typeof spec.acquireTime === 'string' ? spec.acquireTime : '',
    address: typeof address === 'string' ? address : '',
  };
}

export type LeaseStep = 'create' | 'take' | 'renew' | 'wait';

/** Decides over what is seen of a lease; `nowMs` is a monotonic clock. */
export class LeaseObserver {
  readonly #self: string;
  readonly #predecessors: string;
  #version = '';
  #changedMs = Number.NEGATIVE_INFINITY;

  /** `predecessors`: how names of processes begin that have ended for sure; empty: of none is that known. */
  constructor(self: string, predecessors = '') {
    this.#self = self;
    this.#predecessors = predecessors;
  }

  /** For how long the lease has been seen as it is. */
  unchangedMs(nowMs: number): number {
    return nowMs - this.#changedMs;
  }

  /**
   * What to do about a lease that has just been read; null: there is none.
   *
   * @param reluctanceMs how much longer than others to leave a free lease alone
   */
  decide(lease: LeaseView | null, nowMs: number, reluctanceMs = 0): LeaseStep {
    if (lease === null) return 'create';
    if (lease.resourceVersion !== this.#version) {
      this.#version = lease.resourceVersion;
      this.#changedMs = nowMs;
    }
    if (lease.holder === this.#self) return 'renew';
    // A holder counts as silent since its lease was first seen as it is: no clock but our own is asked.
    const freeAfterMs = (this.#isFree(lease) ? 0 : lease.durationMs) + reluctanceMs;
    return this.unchangedMs(nowMs) >= freeAfterMs ? 'take' : 'wait';
  }

  #isFree({ holder }: LeaseView): boolean {
    return holder === '' || (this.#predecessors !== '' && holder.startsWith(this.#predecessors));
  }
}

/** The `spec` to write. `now` is RFC 3339 with microseconds. */
export function leaseSpec(
  self: string,
  before: LeaseView | null,
  times: LeaseTimes,
  now: string,
): Readonly<Record<string, unknown>> {
  const kept = before !== null && before.holder === self;
  const others = before === null ? 0 : before.transitions + 1;
  return {
    holderIdentity: self,
    leaseDurationSeconds: Math.ceil(times.durationMs / 1000),
    acquireTime: kept && before.acquireTime !== '' ? before.acquireTime : now,
    renewTime: now,
    leaseTransitions: kept ? before.transitions : others,
  };
}
