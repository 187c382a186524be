/** The endpoints of large services that each workload of this node uses, worked out once per change of a service. */
import type { CandidateTiers } from '../../../model/choose-endpoint.js';
import { defaultSubsetSize, exceedsSubset, subsetTiers } from '../../../model/choose-subset.js';

export class EndpointSubsets {
  /** By the tiers of a snapshot, then by client; gone with them. */
  readonly #subsets = new WeakMap<CandidateTiers, Map<string, CandidateTiers>>();

  /** `client`: the uid of the workload that calls. */
  of(tiers: CandidateTiers, client: string): CandidateTiers {
    if (!exceedsSubset(tiers, defaultSubsetSize)) return tiers;
    const byClient = this.#subsets.get(tiers) ?? new Map<string, CandidateTiers>();
    if (byClient.size === 0) this.#subsets.set(tiers, byClient);
    const known = byClient.get(client);
    if (known !== undefined) return known;
    const subset = subsetTiers(tiers, client, defaultSubsetSize);
    byClient.set(client, subset);
    return subset;
  }
}
