/** The policies of a snapshot in the making, by namespace; see snapshot-draft.ts. */
import { CompiledPolicy } from './compile-policy.js';
import type { AuthorizationPolicy } from './policy.js';
import type { EndpointSet } from './service.js';
import type { NamespacePolicies, Snapshot } from './snapshot.js';

export class PolicyDraft {
  readonly #before: Snapshot['policies'];
  /** Policies of the namespaces that were looked at, by name. */
  readonly #spaces = new Map<string, Map<string, CompiledPolicy>>();
  /** Namespaces whose policies or their targets change. */
  readonly touched = new Set<string>();

  constructor(before: Snapshot['policies']) {
    this.#before = before;
  }

  /** Both are of one name; undefined: the policy comes or goes. */
  replace(before: AuthorizationPolicy | undefined, after: AuthorizationPolicy | undefined): void {
    if (before !== undefined) {
      this.#space(before.namespace).delete(before.name);
      this.touched.add(before.namespace);
    }
    if (after !== undefined) {
      this.#space(after.namespace).set(after.name, new CompiledPolicy(after));
      this.touched.add(after.namespace);
    }
  }

  /** The endpoints of a service changed: policies that target it may select others now. */
  touchService(namespace: string, service: string): void {
    const targeted = [...this.#space(namespace).values()].some(({ policy }) =>
      policy.targets.some((target) => target.kind === 'Service' && target.name === service),
    );
    if (targeted) this.touched.add(namespace);
  }

  finish(endpointsOf: (serviceKey: string) => EndpointSet | undefined): Snapshot['policies'] {
    const edit = this.#before.edit();
    for (const namespace of this.touched) {
      const policies = [...this.#space(namespace).values()].sort((a, b) => (a.key < b.key ? -1 : 1));
      if (policies.length === 0) edit.delete(namespace);
      else edit.set(namespace, buildSpace(namespace, policies, endpointsOf));
    }
    return edit.finish();
  }

  #space(namespace: string): Map<string, CompiledPolicy> {
    let space = this.#spaces.get(namespace);
    if (space === undefined) {
      const before = this.#before.get(namespace)?.policies ?? [];
      space = new Map(before.map((policy) => [policy.policy.name, policy]));
      this.#spaces.set(namespace, space);
    }
    return space;
  }
}

function buildSpace(
  namespace: string,
  policies: readonly CompiledPolicy[],
  endpointsOf: (serviceKey: string) => EndpointSet | undefined,
): NamespacePolicies {
  const members = new Map<string, ReadonlySet<string>>();
  for (const target of policies.flatMap(({ policy }) => policy.targets)) {
    if (target.kind !== 'Service' || members.has(target.name)) continue;
    const endpoints = endpointsOf(`${namespace}/${target.name}`)?.endpoints ?? [];
    members.set(
      target.name,
      new Set(endpoints.flatMap(({ workloadUid, address }) => [workloadUid, address])),
    );
  }
  return { policies, members, programs: new WeakMap(), programsByPolicies: new Map() };
}
