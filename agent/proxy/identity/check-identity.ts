/** Whether a key and its chain may be put in force on this node, now. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  type CheckedSvid,
  checkSvid,
  type SvidCheck,
  type SvidExpectation,
  type SvidPurpose,
} from '../../../proto/check-svid.js';
import { type ControllerClock, describeSkew } from './controller-clock.js';
import type { Identity } from './identity-state.js';
import { IssueFailure } from './issue-failure.js';
import { isSpent } from './renewal-schedule.js';

/** A key and what certifies it; nothing of it is checked. */
export type CertifiedKey = Pick<Identity, 'chain' | 'privateKey'>;

export interface Judge {
  readonly spiffeId: string;
  readonly purpose: SvidPurpose;
  /** DER. */
  readonly roots: readonly Uint8Array[];
  readonly clock: Pick<ControllerClock, 'nowMs' | 'skewMs'>;
}

/** By this node's clock, or at `nowMs`. */
export function checkIdentity(
  { chain, privateKey }: CertifiedKey,
  { spiffeId, purpose, roots, clock }: Judge,
  nowMs = clock.nowMs,
): SvidCheck {
  let publicKey: SvidExpectation['publicKey'];
  try {
    const key = { key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' } as const;
    publicKey = createPublicKey(createPrivateKey(key));
  } catch {
    // The cause could speak of the key.
    return { ok: false, problem: 'the key cannot be read' };
  }
  return checkSvid(chain, roots, { spiffeId, purpose, publicKey, nowMs });
}

/** Checks what has just been issued. Throws IssueFailure. */
export function acceptIssued(issued: CertifiedKey, judge: Judge): CheckedSvid {
  const { nowMs, skewMs } = judge.clock;
  const check = checkIdentity(issued, judge, nowMs);
  if (check.ok && !isSpent(check.svid, nowMs)) return check.svid;
  const problem = check.ok ? 'a certificate comes at its end' : check.problem;
  // Right by the clock that it was dated by: what is wrong is the clock here.
  if (skewMs !== null && skewMs !== 0 && checkIdentity(issued, judge, nowMs - skewMs).ok) {
    throw new IssueFailure('clock_skew', `${problem}: ${describeSkew(skewMs)}`);
  }
  throw new IssueFailure('certificate_refused', problem);
}
