/** An AuthorizationPolicy made ready for deciding: once per version of the resource. */
import { Reason, type ReasonCode } from '../reasons/reasons.js';
import type { AuthorizationPolicy, Glob, HttpAttributes, PolicyRule } from './policy.js';

/** What was decided and which policy decided it. One object per policy and outcome: none is made per request. */
export interface Verdict {
  readonly allowed: boolean;
  /** `none` where allowed. */
  readonly reason: ReasonCode;
  /** The policy that matched; for policy_not_allowed the first ALLOW policy; null where none selects the workload. */
  readonly policy: CompiledPolicy | null;
}

/** A list of globs, by kind. */
export interface GlobSet {
  /** `*` is among them. */
  readonly any: boolean;
  readonly exact: ReadonlySet<string>;
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
}

export interface CompiledHttp {
  readonly methods: ReadonlySet<string> | null;
  readonly paths: GlobSet | null;
  readonly hosts: GlobSet | null;
  readonly headers: readonly { readonly name: string; readonly values: GlobSet }[];
}

/** null: the part says nothing, so everything matches. */
export interface CompiledPolicyRule {
  readonly serviceAccounts: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
  readonly spiffeIds: ReadonlySet<string>;
  readonly anySource: boolean;
  readonly ports: ReadonlySet<number> | null;
  readonly http: CompiledHttp | null;
}

/** One version of one policy: of one that {@link checkResource} accepted, or of a broken one, whose rules are not read. */
export class CompiledPolicy {
  /** `namespace/name` */
  readonly key: string;
  readonly policy: AuthorizationPolicy;
  readonly rules: readonly CompiledPolicyRule[];
  readonly readsPath: boolean;
  /** Lower case; without `host`, which every request has. */
  readonly headerNames: readonly string[];
  /** Every rule speaks of connections only. */
  readonly connectionOnly: boolean;
  readonly allows: Verdict = { allowed: true, reason: Reason.none, policy: this };
  readonly denies: Verdict = { allowed: false, reason: Reason.policy_denied, policy: this };
  readonly notAllowed: Verdict = { allowed: false, reason: Reason.policy_not_allowed, policy: this };
  readonly invalid: Verdict = { allowed: false, reason: Reason.policy_invalid, policy: this };
  readonly unauthenticated: Verdict = { allowed: false, reason: Reason.unauthenticated_source, policy: this };
  readonly ambiguous: Verdict = { allowed: false, reason: Reason.ambiguous_path, policy: this };

  constructor(policy: AuthorizationPolicy) {
    this.key = `${policy.namespace}/${policy.name}`;
    this.policy = policy;
    this.rules = policy.broken ? [] : policy.rules.map(compileRule);
    this.readsPath = this.rules.some((rule) => rule.http?.paths != null);
    this.headerNames = this.rules
      .flatMap((rule) => rule.http?.headers.map(({ name }) => name) ?? [])
      .filter((name) => name !== 'host');
    this.connectionOnly = this.rules.every((rule) => rule.http === null);
  }
}

function compileRule(rule: PolicyRule): CompiledPolicyRule {
  const { serviceAccounts, namespaces, spiffeIds } = rule.sources;
  return {
    serviceAccounts: new Set(serviceAccounts),
    namespaces: new Set(namespaces),
    spiffeIds: new Set(spiffeIds),
    anySource: serviceAccounts.length + namespaces.length + spiffeIds.length === 0,
    ports: rule.ports.length === 0 ? null : new Set(rule.ports),
    http: rule.http === null ? null : compileHttp(rule.http),
  };
}

function compileHttp(http: HttpAttributes): CompiledHttp {
  return {
    methods: http.methods.length === 0 ? null : new Set(http.methods),
    paths: http.paths.length === 0 ? null : compileGlobs(http.paths),
    hosts: http.hosts.length === 0 ? null : compileGlobs(http.hosts.map((host) => host.toLowerCase())),
    headers: http.headers.map(({ name, values }) => ({
      name: name.toLowerCase(),
      values: compileGlobs(values),
    })),
  };
}

export function compileGlobs(globs: readonly Glob[]): GlobSet {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  const suffixes: string[] = [];
  for (const glob of globs) {
    if (glob.endsWith('*')) prefixes.push(glob.slice(0, -1));
    else if (glob.startsWith('*')) suffixes.push(glob.slice(1));
    else exact.add(glob);
  }
  return { any: prefixes.includes(''), exact, prefixes, suffixes };
}

export function matchesGlobs(globs: GlobSet, text: string): boolean {
  // Asking an empty set would still hash the text.
  if (globs.any || (globs.exact.size > 0 && globs.exact.has(text))) return true;
  for (let at = 0; at < globs.prefixes.length; at += 1) {
    if (text.startsWith(globs.prefixes[at] as string)) return true;
  }
  for (let at = 0; at < globs.suffixes.length; at += 1) {
    if (text.endsWith(globs.suffixes[at] as string)) return true;
  }
  return false;
}
