/** Whether a policy's rules match; see authorize.ts for what follows from it. */
import {
  type CompiledHttp,
  type CompiledPolicy,
  type CompiledPolicyRule,
  type GlobSet,
  matchesGlobs,
} from './compile-policy.js';
import type { RequestHead } from './request-head.js';
import type { Source } from './source.js';

/**
 * Whether a rule of a DENY policy matches. `head` null: an opaque connection, whose HTTP attributes count as met; with
 * `connectionOnly` rules with HTTP attributes are left to the requests.
 */
export function denyMatches(
  policy: CompiledPolicy,
  source: Source,
  port: number,
  head: RequestHead | null,
  connectionOnly: boolean,
): boolean {
  const unproven = policy.policy.requireAuthenticated && !source.authenticated;
  for (let at = 0; at < policy.rules.length; at += 1) {
    const rule = policy.rules[at] as CompiledPolicyRule;
    if (rule.ports !== null && !rule.ports.has(port)) continue;
    if (!unproven && !matchesSource(rule, source)) continue;
    if (rule.http === null) return true;
    if (!connectionOnly && (head === null || denyMatchesHttp(rule.http, head))) return true;
  }
  return false;
}

/** Whether a rule of an ALLOW policy matches. `head` null: an opaque connection, which meets no HTTP attribute. */
export function allowMatches(
  policy: CompiledPolicy,
  source: Source,
  port: number,
  head: RequestHead | null,
): boolean {
  for (let at = 0; at < policy.rules.length; at += 1) {
    const rule = policy.rules[at] as CompiledPolicyRule;
    if (rule.ports !== null && !rule.ports.has(port)) continue;
    if (!matchesSource(rule, source)) continue;
    if (rule.http === null || (head !== null && allowMatchesHttp(rule.http, head))) return true;
  }
  return false;
}

function matchesSource(rule: CompiledPolicyRule, source: Source): boolean {
  return (
    rule.anySource ||
    rule.serviceAccounts.has(source.serviceAccount) ||
    rule.namespaces.has(source.namespace) ||
    rule.spiffeIds.has(source.spiffeId)
  );
}

function allowMatchesHttp(http: CompiledHttp, head: RequestHead): boolean {
  if (http.methods !== null && !http.methods.has(head.method)) return false;
  if (!matchesPlace(http, head)) return false;
  for (let at = 0; at < http.headers.length; at += 1) {
    const { name, values } = http.headers[at] as CompiledHttp['headers'][number];
    const value = headerOf(head, name);
    if (value === null || !matchesGlobs(values, value)) return false;
  }
  return true;
}

function denyMatchesHttp(http: CompiledHttp, head: RequestHead): boolean {
  if (
    http.methods !== null &&
    !http.methods.has(head.method) &&
    !http.methods.has(head.method.toUpperCase())
  ) {
    return false;
  }
  if (!matchesPlace(http, head)) return false;
  for (let at = 0; at < http.headers.length; at += 1) {
    const { name, values } = http.headers[at] as CompiledHttp['headers'][number];
    const value = headerOf(head, name);
    if (value === null || !matchesAnyElement(values, value)) return false;
  }
  return true;
}

function matchesPlace(http: CompiledHttp, head: RequestHead): boolean {
  if (http.paths !== null && !matchesGlobs(http.paths, head.path)) return false;
  return http.hosts === null || matchesGlobs(http.hosts, head.host);
}

function headerOf(head: RequestHead, name: string): string | null {
  return name === 'host' ? head.authority : head.header(name);
}

function matchesAnyElement(values: GlobSet, value: string): boolean {
  if (matchesGlobs(values, value)) return true;
  return value.includes(',') && value.split(',').some((element) => matchesGlobs(values, element.trim()));
}
