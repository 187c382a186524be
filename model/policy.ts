/** Who may talk to whom: AuthorizationPolicy, shaped after GEP-3779 with HTTP attributes added. */

export type PolicyAction = 'ALLOW' | 'DENY';

/** Audit decides and counts as Enforce would, and lets pass. */
export type PolicyMode = 'Enforce' | 'Audit';

/** Which workloads of the policy's own namespace it protects; empty is all of them. */
export type PolicyTarget =
  | { readonly kind: 'Selector'; readonly labels: Readonly<Record<string, string>> }
  /** The workloads behind a service. */
  | { readonly kind: 'Service'; readonly name: string };

/** Any entry of any list matches. All lists empty: every source. */
export interface SourceMatch {
  /** `namespace/name`. */
  readonly serviceAccounts: readonly string[];
  readonly namespaces: readonly string[];
  /** Exact SPIFFE ids. */
  readonly spiffeIds: readonly string[];
}

/** Exact, or a prefix where it ends in `*`, or a suffix where it begins with `*`; `*` alone is any. */
export type Glob = string;

/** Each non-empty list must match by one of its entries; all empty: every request. */
export interface HttpAttributes {
  readonly methods: readonly string[];
  /** Compared with the path's normal form (see normal-path.ts). */
  readonly paths: readonly Glob[];
  readonly hosts: readonly Glob[];
  readonly headers: readonly { readonly name: string; readonly values: readonly Glob[] }[];
}

/** All given parts must match. */
export interface PolicyRule {
  readonly sources: SourceMatch;
  /** Ports of the protected workload; empty is any. */
  readonly ports: readonly number[];
  /** null: the rule speaks of connections, so the kernel can enforce it. */
  readonly http: HttpAttributes | null;
}

export interface AuthorizationPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly targets: readonly PolicyTarget[];
  readonly action: PolicyAction;
  readonly mode: PolicyMode;
  /** Insist that sources are authenticated; an address alone is not enough. */
  readonly requireAuthenticated: boolean;
  readonly rules: readonly PolicyRule[];
  /** Set where the policy is invalid and has no last good version: its targets are closed (policy_invalid). */
  readonly broken: boolean;
}
