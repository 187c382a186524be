/**
 * May this source do this to this workload? DENY first; then, where any ALLOW policy selects the workload, one of
 * them must match; where none does, everything is allowed.
 *
 * What is decided where:
 * - A rule without HTTP attributes speaks of connections. A DENY of that kind refuses the connection. ALLOW
 *   policies refuse a connection where all of them speak of connections only; otherwise each request is judged.
 * - On a port that carries opaque bytes there is no request to judge: an ALLOW rule with HTTP attributes never
 *   matches, and a DENY rule with HTTP attributes matches by its sources and ports alone. Both fail closed.
 * - `requireAuthenticated`: a source known by address only gains nothing by it. It matches no rule of an ALLOW
 *   policy, and it matches the sources of every rule of a DENY policy (unauthenticated_source).
 * - A broken policy closes its targets (policy_invalid).
 * - A path without one normal form is refused where an enforced policy reads the path (ambiguous_path).
 *
 * Several header fields of one name are joined by `, `. ALLOW compares the whole; DENY the whole and each element, so
 * that a repeated field does not hide a value. DENY compares methods without regard to case, since some servers do.
 *
 * Policies in audit mode never change a verdict; see {@link auditRequest}.
 */
import { Reason } from '../reasons/reasons.js';
import type { CompiledPolicy, Verdict } from './compile-policy.js';
import { allowMatches, denyMatches } from './match-policy.js';
import type { RequestHead } from './request-head.js';
import type { Source } from './source.js';

/** All policies that select one workload. */
export interface PolicyProgram {
  /** Every one of them, by name. */
  readonly policies: readonly CompiledPolicy[];
  /** The enforced ones by kind; `broken` is the first that is. */
  readonly broken: CompiledPolicy | null;
  readonly deny: readonly CompiledPolicy[];
  readonly allow: readonly CompiledPolicy[];
  /** Those in audit mode. */
  readonly audit: readonly CompiledPolicy[];
  /** The first enforced one that reads the path. */
  readonly pathPolicy: CompiledPolicy | null;
  /** Headers that enforced ones read, by lower-case name. */
  readonly headerNames: readonly string[];
  /** No enforced ALLOW policy has a rule with HTTP attributes. */
  readonly allowByConnection: boolean;
}

/** Nobody's policy selects the workload. */
export const openProgram: PolicyProgram = buildProgram([]);

export const allowedByDefault: Verdict = { allowed: true, reason: Reason.none, policy: null };

/** Puts the policies that select one workload together. */
export function buildProgram(policies: readonly CompiledPolicy[]): PolicyProgram {
  const enforced = policies.filter(({ policy }) => policy.mode === 'Enforce');
  const sound = enforced.filter(({ policy }) => !policy.broken);
  const allow = sound.filter(({ policy }) => policy.action === 'ALLOW');
  return {
    policies,
    broken: enforced.find(({ policy }) => policy.broken) ?? null,
    deny: sound.filter(({ policy }) => policy.action === 'DENY'),
    allow,
    audit: policies.filter(({ policy }) => policy.mode === 'Audit'),
    pathPolicy: sound.find(({ readsPath }) => readsPath) ?? null,
    headerNames: [...new Set(sound.flatMap(({ headerNames }) => headerNames))],
    allowByConnection: allow.every(({ connectionOnly }) => connectionOnly),
  };
}

/**
 * Whether the workload may declare the fail mode `open`: not where an enforced policy protects it, since open would
 * let past what the policy refuses.
 */
export function permitsFailOpen(program: PolicyProgram): boolean {
  return program.broken === null && program.deny.length === 0 && program.allow.length === 0;
}

/** What a port carries: requests that are judged one by one, or opaque bytes. */
export type Carries = 'http' | 'opaque';

/**
 * Decides about a connection.
 *
 * @param port the workload's own port
 */
export function authorizeConnection(
  program: PolicyProgram,
  source: Source,
  port: number,
  carries: Carries,
): Verdict {
  if (carries === 'opaque') return decide(program, source, port, null);
  for (let at = 0; at < program.deny.length; at += 1) {
    const policy = program.deny[at] as CompiledPolicy;
    if (denyMatches(policy, source, port, null, true)) return denyVerdict(policy, source);
  }
  if (program.broken !== null || !program.allowByConnection) return allowedByDefault;
  return decideAllow(program, source, port, null);
}

/**
 * Whether the kernel may refuse a connection by itself: what {@link authorizeConnection} refuses whatever the port
 * carries, and for no want of authentication (the proxy alone knows who has proven what).
 */
export function kernelDenies(program: PolicyProgram, source: Source, port: number): boolean {
  const denied = program.deny.some(
    (policy) => !policy.policy.requireAuthenticated && denyMatches(policy, source, port, null, true),
  );
  if (denied) return true;
  if (program.allow.length === 0 || program.broken !== null || !program.allowByConnection) return false;
  return !program.allow.some(
    (policy) => policy.policy.requireAuthenticated || allowMatches(policy, source, port, null),
  );
}

/**
 * Decides about a request: everything again, since policies may have changed while its connection lived. A CONNECT must be
 * allowed as opaque bytes too: that is what follows it, and no rule about requests would see them, though the server may.
 *
 * @param port the workload's own port
 */
export function authorizeRequest(
  program: PolicyProgram,
  source: Source,
  port: number,
  head: RequestHead,
): Verdict {
  const verdict = decide(program, source, port, head);
  return verdict.allowed && head.method === 'CONNECT' ? decide(program, source, port, null) : verdict;
}

/** `head` null: an opaque connection. */
function decide(program: PolicyProgram, source: Source, port: number, head: RequestHead | null): Verdict {
  if (program.broken !== null) return program.broken.invalid;
  if (program.pathPolicy !== null && head !== null && head.ambiguities !== 0)
    return program.pathPolicy.ambiguous;
  for (let at = 0; at < program.deny.length; at += 1) {
    const policy = program.deny[at] as CompiledPolicy;
    if (denyMatches(policy, source, port, head, false)) return denyVerdict(policy, source);
  }
  return decideAllow(program, source, port, head);
}

function denyVerdict(policy: CompiledPolicy, source: Source): Verdict {
  return policy.policy.requireAuthenticated && !source.authenticated ? policy.unauthenticated : policy.denies;
}

function decideAllow(
  program: PolicyProgram,
  source: Source,
  port: number,
  head: RequestHead | null,
): Verdict {
  const first = program.allow[0];
  if (first === undefined) return allowedByDefault;
  let unauthenticated: CompiledPolicy | null = null;
  for (let at = 0; at < program.allow.length; at += 1) {
    const policy = program.allow[at] as CompiledPolicy;
    if (allowMatches(policy, source, port, head)) {
      if (!policy.policy.requireAuthenticated || source.authenticated) return policy.allows;
      unauthenticated ??= policy;
    }
  }
  return unauthenticated === null ? first.notAllowed : unauthenticated.unauthenticated;
}

const nothing: readonly CompiledPolicy[] = [];

/**
 * The policies in audit mode that would refuse if they were enforced. `head` null: an opaque connection. For an HTTP
 * connection nothing is audited; its requests are.
 */
export function auditRequest(
  program: PolicyProgram,
  source: Source,
  port: number,
  head: RequestHead | null,
): readonly CompiledPolicy[] {
  if (program.audit.length === 0) return nothing;
  const allowed = decideAllow(program, source, port, head);
  const passes = (policy: CompiledPolicy) =>
    policy.policy.action === 'ALLOW' &&
    allowMatches(policy, source, port, head) &&
    (!policy.policy.requireAuthenticated || source.authenticated);
  // As enforced ones they would join the ALLOW policies that are: any match lets the request pass.
  const allowWouldPass = (program.allow.length > 0 && allowed.allowed) || program.audit.some(passes);
  return program.audit.filter((policy) => {
    if (policy.policy.broken) return true;
    if (policy.readsPath && head !== null && head.ambiguities !== 0) return true;
    if (policy.policy.action === 'DENY') return denyMatches(policy, source, port, head, false);
    return !allowWouldPass;
  });
}
