/** weft.dev/v1alpha1 AuthorizationPolicy. What is written wrong must never widen what is allowed. */
import type {
  AuthorizationPolicy,
  HttpAttributes,
  PolicyRule,
  PolicyTarget,
  SourceMatch,
} from '../../model/policy.js';
import type { Fields, TextRule } from './fields.js';
import type { PolicyManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';
import { dnsLabel, dnsSubdomain, httpToken, namespacedName, spiffeIdText } from './text-rules.js';

const method: TextRule = { pattern: /^[A-Z][A-Z0-9-]*$/, most: 32, describe: 'an upper-case HTTP method' };
const pathGlob: TextRule = {
  pattern: /^(\*|\/[^*?#\s]*\*?|\*[^*?#\s]+)$/,
  most: 1024,
  describe: 'a path that begins with /, with one * at its end or its beginning at most',
};
const hostGlob: TextRule = {
  pattern: /^(\*|\*?[a-z0-9._:[\]-]+|[a-z0-9._:[\]-]+\*)$/,
  most: 255,
  describe: 'a lower-case host, with one * at its end or its beginning at most',
};
const valueGlob: TextRule = {
  pattern: /^(\*|\*?[^*]+|[^*]+\*)$/,
  most: 1024,
  describe: 'a value, with one * at its end or its beginning at most',
};

/** Reads as much as it can; the caller uses it only where no problem was found. */
export function parsePolicy(object: Fields, metadata: ObjectMetadata): PolicyManifest | null {
  const { namespace, name } = metadata;
  const spec = object.object('spec');
  object.ignore('status');
  if (spec === undefined) {
    if (!object.has('spec')) object.problem('spec', 'is missing', 'add spec with action and rules');
    return null;
  }
  const targets = readTargets(spec);
  const action = spec.oneOf('action', ['ALLOW', 'DENY']);
  if (!spec.has('action')) spec.problem('action', 'is missing', 'write ALLOW or DENY');
  const mode = spec.oneOf('mode', ['Enforce', 'Audit']) ?? 'Enforce';
  const requireAuthenticated = spec.flag('requireAuthenticated') ?? false;
  const rules = spec.objects('rules', 256).map(readRule);
  if (action === 'DENY' && !spec.has('rules')) {
    spec.problem(
      'rules',
      'is missing, so this DENY policy denies nothing',
      'write "rules: [{}]" to deny all',
    );
  }
  spec.finish();
  if (action === undefined) return null;
  return {
    id: { kind: 'AuthorizationPolicy', namespace, name },
    policy: { namespace, name, targets, action, mode, requireAuthenticated, rules, broken: false },
  };
}

/**
 * What stands in for a policy that cannot be used: it closes its targets, or all of its namespace where even the
 * targets cannot be read. One that says Audit stays without effect on traffic.
 */
export function brokenPolicy(object: Fields, metadata: ObjectMetadata): AuthorizationPolicy {
  const { namespace, name } = metadata;
  const before = object.problems.length;
  const spec = object.object('spec');
  const targets = spec === undefined ? [] : readTargets(spec);
  const legible = object.problems.length === before;
  const mode = spec?.oneOf('mode', ['Enforce', 'Audit']) ?? 'Enforce';
  object.problems.length = before;
  return {
    namespace,
    name,
    targets: legible ? targets : [],
    action: 'DENY',
    mode,
    requireAuthenticated: false,
    rules: [],
    broken: true,
  };
}

function readTargets(spec: Fields): PolicyTarget[] {
  const services = spec.objects('targetRefs', 16).flatMap(readTargetRef);
  const selector = spec.object('selector');
  if (spec.has('targetRefs') && selector !== undefined) {
    spec.problem('selector', 'cannot stand beside targetRefs', 'keep one of them');
  }
  if (spec.has('targetRefs') && services.length === 0) {
    spec.problem('targetRefs', 'names no service', 'name one, or remove it to cover the whole namespace');
  }
  if (selector === undefined) return services;
  const labels = selector.textMap('matchLabels');
  if (Object.keys(labels).length === 0) {
    selector.problem(
      'matchLabels',
      'is empty',
      'give labels, or remove selector to cover the whole namespace',
    );
  }
  selector.finish();
  return [{ kind: 'Selector', labels }];
}

function readTargetRef(ref: Fields): PolicyTarget[] {
  const group = ref.text('group') ?? '';
  const kind = ref.text('kind') ?? 'Service';
  const name = ref.requiredText('name', dnsSubdomain);
  if (group !== '') ref.problem('group', 'is not supported', 'write "" (the group of Service)');
  if (kind !== 'Service') ref.problem('kind', 'is not supported', 'write Service, or use selector');
  ref.finish();
  return name === undefined ? [] : [{ kind: 'Service', name }];
}

function readRule(rule: Fields): PolicyRule {
  const sources = rule.object('sources');
  const http = rule.object('http');
  refuseEmpty(rule, ['ports']);
  const parsed = {
    sources: readSources(sources),
    ports: rule.numbers('ports', 256, 1, 65_535),
    http: http === undefined ? null : readAttributes(http),
  };
  rule.finish();
  return parsed;
}

function readSources(fields: Fields | undefined): SourceMatch {
  if (fields === undefined) return { serviceAccounts: [], namespaces: [], spiffeIds: [] };
  refuseEmpty(fields, ['serviceAccounts', 'namespaces', 'spiffeIDs']);
  const sources = {
    serviceAccounts: fields.texts('serviceAccounts', 256, namespacedName),
    namespaces: fields.texts('namespaces', 256, dnsLabel),
    spiffeIds: fields.texts('spiffeIDs', 256, spiffeIdText),
  };
  fields.finish();
  refuseBare(fields, 'sources', 'leave sources out for any source');
  return sources;
}

function readAttributes(fields: Fields): HttpAttributes {
  refuseEmpty(fields, ['methods', 'paths', 'hosts', 'headers']);
  const attributes = {
    methods: fields.texts('methods', 64, method),
    paths: fields.texts('paths', 256, pathGlob),
    hosts: fields.texts('hosts', 256, hostGlob),
    headers: fields.objects('headers', 64).map((header) => {
      const name = header.requiredText('name', httpToken)?.toLowerCase() ?? '';
      refuseEmpty(header, ['values']);
      if (!header.has('values')) header.problem('values', 'is missing', 'list values; "*" is any');
      const values = header.texts('values', 256, valueGlob);
      header.finish();
      return { name, values };
    }),
  };
  fields.finish();
  refuseBare(fields, 'http', 'give one attribute, such as methods; leave http out to speak of connections');
  return attributes;
}

/** A list given as [] would mean "any", which hardly anyone who writes an empty list wants. */
function refuseEmpty(fields: Fields, names: readonly string[]): void {
  for (const name of names) {
    const value = fields.raw(name);
    if (Array.isArray(value) && value.length === 0) {
      fields.problem(name, 'is empty, which would match everything', 'remove it for any, or list entries');
    }
  }
}

function refuseBare(fields: Fields, what: string, fix: string): void {
  if (fields.names().length === 0) {
    fields.problems.push({ path: fields.path, value: '{}', message: `${what} is empty`, fix });
  }
}
