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
  const problem = findUseless(check, nowMs);
  // Useful by the clock that it was dated by: what is wrong is the clock here.
  if (problem !== null && skewMs !== null) {
    const dated = nowMs - skewMs;
    if (findUseless(checkIdentity(issued, judge, dated), dated) === null) {
      throw new IssueFailure('clock_skew', `${problem}: ${describeSkew(skewMs)}`);
    }
  }
  if (check.ok) return check.svid;
  throw new IssueFailure('certificate_refused', check.problem);
}

/** Null where it is good for a while. */
function findUseless(check: SvidCheck, nowMs: number): string | null {
  if (!check.ok) return check.problem;
  return isSpent(check.svid, nowMs) ? 'a certificate comes at its end' : null;
}
