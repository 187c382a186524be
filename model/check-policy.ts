/** Invariants of AuthorizationPolicies. */
import { normalizePath, pathAmbiguities } from './normal-path.js';
import type { AuthorizationPolicy, HttpAttributes, PolicyRule, SourceMatch } from './policy.js';
import { checkLength, isPort, isToken, problem } from './problem.js';
import type { Problem } from './resource.js';

const maxRules = 64;

/** Entries of any one list of a rule. Sources are sets, so that many cost no more than one. */
const maxEntries = 256;

export function checkPolicy(policy: AuthorizationPolicy): Problem[] {
  // Nobody reads the rules of a broken policy; its targets are closed.
  if (policy.broken) return [];
  const lengths = [
    ...checkLength(policy.targets, maxEntries, 'targets'),
    ...checkLength(policy.rules, maxRules, 'rules'),
  ];
  return [...lengths, ...policy.rules.flatMap((rule, index) => checkRule(rule, `rules[${index}]`))];
}

function checkRule(rule: PolicyRule, at: string): Problem[] {
  const problems = checkSources(rule.sources, `${at}.sources`);
  problems.push(...checkLength(rule.ports, maxEntries, `${at}.ports`));
  for (const [index, port] of rule.ports.entries()) {
    if (isPort(port)) continue;
    problems.push(
      problem(`${at}.ports[${index}]`, port, 'not a port', 'write a whole number from 1 to 65535'),
    );
  }
  if (rule.http !== null) problems.push(...checkHttp(rule.http, `${at}.http`));
  return problems;
}

function checkSources(sources: SourceMatch, at: string): Problem[] {
  const problems = (['serviceAccounts', 'namespaces', 'spiffeIds'] as const).flatMap((list) =>
    checkLength(sources[list], maxEntries, `${at}.${list}`),
  );
  for (const [index, name] of sources.serviceAccounts.entries()) {
    if (/^[^/*\s]+\/[^/*\s]+$/.test(name)) continue;
    const message = 'not namespace/name';
    problems.push(problem(`${at}.serviceAccounts[${index}]`, name, message, 'write for example shop/cart'));
  }
  for (const [index, name] of sources.namespaces.entries()) {
    if (/^[^/*\s]+$/.test(name)) continue;
    const message = 'not the name of a namespace; globs are not supported here';
    problems.push(problem(`${at}.namespaces[${index}]`, name, message, 'write for example shop'));
  }
  for (const [index, id] of sources.spiffeIds.entries()) {
    if (/^spiffe:\/\/[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)+$/.test(id)) continue;
    const message = 'not a SPIFFE id';
    const fix = 'write for example spiffe://cluster.local/ns/shop/sa/cart';
    problems.push(problem(`${at}.spiffeIds[${index}]`, id, message, fix));
  }
  return problems;
}

function checkHttp(http: HttpAttributes, at: string): Problem[] {
  const problems = (['methods', 'paths', 'hosts', 'headers'] as const).flatMap((list) =>
    checkLength(http[list], maxEntries, `${at}.${list}`),
  );
  for (const [index, method] of http.methods.entries()) {
    if (isToken(method) && method === method.toUpperCase() && method !== '*') continue;
    const fix = 'write for example GET; leave methods out for any';
    problems.push(problem(`${at}.methods[${index}]`, method, 'not a method in upper case', fix));
  }
  for (const [index, path] of http.paths.entries())
    problems.push(...checkPathGlob(path, `${at}.paths[${index}]`));
  for (const [index, host] of http.hosts.entries()) {
    problems.push(...checkGlob(host, `${at}.hosts[${index}]`));
    if (!/:\d+$/.test(host)) continue;
    const message = 'hosts are compared without their port';
    problems.push(problem(`${at}.hosts[${index}]`, host, message, 'use ports for the port'));
  }
  for (const [index, { name, values }] of http.headers.entries()) {
    const field = `${at}.headers[${index}]`;
    if (!isToken(name)) {
      const message = 'not a header name (RFC 9110 section 5.1)';
      problems.push(problem(`${field}.name`, name, message, 'write for example x-tenant'));
    }
    if (values.length === 0) {
      problems.push(problem(`${field}.values`, '[]', 'no value is listed', 'write * for any value'));
    }
    problems.push(...checkLength(values, maxEntries, `${field}.values`));
    for (const [at, value] of values.entries()) problems.push(...checkGlob(value, `${field}.values[${at}]`));
  }
  return problems;
}

/** `*` stands alone, first or last, once. */
function checkGlob(glob: string, field: string): Problem[] {
  const inner = glob === '*' ? '' : glob.endsWith('*') ? glob.slice(0, -1) : glob.replace(/^\*/, '');
  if (glob !== '' && !inner.includes('*')) return [];
  const message = glob === '' ? 'the glob is empty' : '* may stand only once, at the beginning or the end';
  return [problem(field, glob, message, 'write for example /admin/* or *.css')];
}

/** A glob is compared with normal forms, so that one which is none itself could never match. */
function checkPathGlob(glob: string, field: string): Problem[] {
  const problems = checkGlob(glob, field);
  if (problems.length > 0 || glob === '*') return problems;
  // What the star stands for is taken as a letter: `/a*` is then judged as `/ax`.
  const sample = glob.startsWith('*') ? `/x${glob.slice(1)}` : glob.replace(/\*$/, 'x');
  if (!sample.startsWith('/')) return [problem(field, glob, 'a path begins with / or *', `write /${glob}`)];
  if (pathAmbiguities(sample) === 0 && normalizePath(sample) === sample) return [];
  const message = 'not in normal form, so no request could match it';
  return [problem(field, glob, message, 'write it decoded, without dot segments, //, ; and encoded slashes')];
}
