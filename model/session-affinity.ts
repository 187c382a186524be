/**
 * sessionAffinity ClientIP: a client stays with one endpoint for as long as that is usable and the client comes back in time
 * (Kubernetes: sessionAffinityConfig.clientIP.timeoutSeconds, counted from the last use).
 */
import type { Candidate, CandidateTiers } from './choose-endpoint.js';

/** Where a client went last. Changed in place. */
export interface Stay {
  /** Key of the candidate. */
  key: string;
  usedMs: number;
}

/** Kubernetes' default, in seconds. */
export const defaultAffinitySeconds = 10_800;

export function isOver(stay: Stay, affinityMs: number, nowMs: number): boolean {
  return nowMs - stay.usedMs > affinityMs;
}

/**
 * The endpoint that the client stays with, or null: it stayed away too long, or the endpoint may not be used any more, or
 * this request has tried it. As in kube-proxy, only endpoints of the tier in use count: one that no longer is ready is
 * left as soon as another is.
 */
export function findStay(
  tiers: CandidateTiers,
  stay: Stay | undefined,
  affinityMs: number,
  nowMs: number,
  tried: readonly Candidate[],
): Candidate | null {
  if (stay === undefined || isOver(stay, affinityMs, nowMs)) return null;
  if (tried.some(({ key }) => key === stay.key)) return null;
  for (let at = 0; at < tiers.length; at += 1) {
    const tier = tiers[at] as readonly Candidate[];
    if (tier.length > 0) return tier.find(({ key }) => key === stay.key) ?? null;
  }
  return null;
}
