/** The endpoints of large services that each workload of this node uses, worked out once per change of a service. */
import type { CandidateTiers } from '../../../model/choose-endpoint.js';
import { defaultSubsetSize, exceedsSubset, subsetTiers } from '../../../model/choose-subset.js';

export class EndpointSubsets {
  /** By the tiers of a snapshot, then by client; gone with them. */
  readonly #subsets = new WeakMap<CandidateTiers, Map<string, CandidateTiers>>();

  /**
   * @param client the uid of the workload that calls
   * @param one it uses one endpoint only (session affinity)
   */
  of(tiers: CandidateTiers, client: string, one: boolean): CandidateTiers {
    const size = one ? 1 : defaultSubsetSize;
    if (!exceedsSubset(tiers, size)) return tiers;
    const byClient = this.#subsets.get(tiers) ?? new Map<string, CandidateTiers>();
    if (byClient.size === 0) this.#subsets.set(tiers, byClient);
    const known = byClient.get(client);
    if (known !== undefined) return known;
    const subset = subsetTiers(tiers, client, size);
    byClient.set(client, subset);
    return subset;
  }
}
