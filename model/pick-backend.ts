/** Weighted choice of a rule's backend. */
import type { CompiledBackend, CompiledRule } from './compile-route.js';

/**
 * The backend for a request, or null where no backend may take it (backend_invalid): there is none, or all weigh 0.
 * A backend whose reference is invalid is chosen like any other, so that its share of requests fails.
 *
 * @param random uniform in [0, 1)
 */
export function pickBackend(rule: CompiledRule, random: number): CompiledBackend | null {
  if (rule.totalWeight <= 0) return null;
  let left = random * rule.totalWeight;
  for (let at = 0; at < rule.backends.length; at += 1) {
    const backend = rule.backends[at] as CompiledBackend;
    left -= backend.weight;
    if (left < 0) return backend;
  }
  // Only rounding leads here; the last backend that weighs anything takes it.
  return rule.backends.findLast((backend) => backend.weight > 0) ?? null;
}
