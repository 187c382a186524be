/**
 * Which endpoints of a service one client uses: a bounded number, so that clients × endpoints connections never come to
 * be. By rendezvous hashing (Thaler and Ravishankar 1998): every client ranks the endpoints by a hash of both names and
 * takes the first. It needs no agreement, spreads clients evenly, and an endpoint that comes or goes changes a client's
 * subset by that one at most.
 */
import type { Candidate, CandidateTiers } from './choose-endpoint.js';

/** Endpoints of one service that a client keeps connections to. */
export const defaultSubsetSize = 16;

/** Whether {@link subsetTiers} would leave anything out. */
export function exceedsSubset(tiers: CandidateTiers, size: number): boolean {
  for (let at = 0; at < tiers.length; at += 1) {
    if ((tiers[at] as readonly Candidate[]).length > size) return true;
  }
  return false;
}

/** Each tier cut down to `size`, by the client's name; the tiers themselves where none is larger. */
export function subsetTiers(tiers: CandidateTiers, client: string, size: number): CandidateTiers {
  if (!exceedsSubset(tiers, size)) return tiers;
  const seed = hashText(client);
  return tiers.map((tier) => (tier.length <= size ? tier : chooseSubset(tier, seed, size)));
}

/** In the order of the tier, so that a rotation goes on where it was. */
function chooseSubset(tier: readonly Candidate[], seed: number, size: number): readonly Candidate[] {
  const scores = tier.map(({ key }) => scoreOf(seed, key));
  const least = Float64Array.from(scores).sort()[tier.length - size] as number;
  return tier.filter((_, at) => (scores[at] as number) >= least).slice(0, size);
}

function scoreOf(seed: number, key: string): number {
  return mix(Math.imul(seed, 0x9e37_79b1) ^ hashText(key));
}

/** FNV-1a over UTF-16 units, mixed. */
function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  }
  return mix(hash);
}

/** The finalizer of MurmurHash3: every bit of the input moves half of the output. */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
