/** Counts what policies in audit mode would have refused. */
import type { CompiledPolicy } from '../../../model/compile-policy.js';
import { family, type MetricFamily } from './worker-metrics.js';

/** Policies counted at most: what a deleted policy counted stays. */
const maxPolicies = 10_000;

export class PolicyAudit {
  readonly #counts = new Map<string, { readonly policy: CompiledPolicy; count: number }>();

  count(policies: readonly CompiledPolicy[]): void {
    for (const policy of policies) {
      const known = this.#counts.get(policy.key);
      if (known !== undefined) known.count += 1;
      else if (this.#counts.size < maxPolicies) this.#counts.set(policy.key, { policy, count: 1 });
    }
  }

  collect(): MetricFamily {
    const values = [...this.#counts.values()].map(({ policy: { policy }, count }) => ({
      labels: { namespace: policy.namespace, policy: policy.name, action: policy.action },
      value: count,
    }));
    return family(
      'counter',
      'weft_policy_audit_total',
      'What a policy in audit mode would have refused.',
      values,
    );
  }
}
