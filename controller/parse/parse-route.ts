/** What HTTPRoutes and GRPCRoutes of gateway.networking.k8s.io/v1 share: parents, hostnames, rules, backends. */
import type {
  Backend,
  HttpFilter,
  HttpRouteMatch,
  HttpRouteRule,
  RouteKind,
  RouteParent,
} from '../../model/route.js';
import { fieldProblem } from './field-problem.js';
import type { Fields } from './fields.js';
import type { BackendReference, RouteManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';
import { dnsLabel, dnsSubdomain, hostname } from './text-rules.js';

/** Gateway API: at most 16 rules, 64 matches a rule, 128 in all. */
const maxRules = 16;
export const maxMatches = 64;
const maxMatchesInAll = 128;

export interface ParsedRule {
  readonly rule: HttpRouteRule;
  readonly references: readonly BackendReference[];
}

/** What is a kind's own. */
export interface RouteForm {
  readonly manifestKind: RouteManifest['id']['kind'];
  readonly kind: RouteKind;
  /** The match of a route that has no rules. */
  readonly everything: HttpRouteMatch;
  readonly readRule: (rule: Fields, namespace: string) => ParsedRule;
}

export function parseRoute(form: RouteForm, object: Fields, metadata: ObjectMetadata): RouteManifest | null {
  const { namespace, name, createdMs } = metadata;
  const spec = object.object('spec');
  object.ignore('status');
  if (spec === undefined) {
    if (!object.has('spec')) object.problem('spec', 'is missing', 'add spec with parentRefs and rules');
    return null;
  }
  const parents = spec.objects('parentRefs', 32).flatMap((ref, place) => {
    const parent = readParent(ref, namespace);
    return parent === null ? [] : [{ parent, place }];
  });
  const hostnames = spec.texts('hostnames', 16, hostname);
  const parsed = readRules(form, spec, namespace);
  spec.finish();
  checkRules(spec, parsed);
  const rules = parsed.map(({ rule }) => rule);
  return {
    id: { kind: form.manifestKind, namespace, name },
    route: {
      kind: form.kind,
      namespace,
      name,
      parents: parents.map(({ parent }) => parent),
      hostnames,
      rules,
      createdMs,
    },
    parentPlaces: parents.map(({ place }) => place),
    references: parsed.map(({ references }) => references),
  };
}

/** Gateways and other parents are somebody else's to serve, so they are left out here. */
function readParent(ref: Fields, routeNamespace: string): RouteParent | null {
  const group = ref.text('group') ?? 'gateway.networking.k8s.io';
  const kind = ref.text('kind') ?? 'Gateway';
  const name = ref.requiredText('name', dnsSubdomain);
  const namespace = ref.text('namespace', dnsLabel) ?? routeNamespace;
  const port = ref.number('port', 1, 65_535);
  const section = ref.text('sectionName');
  ref.finish();
  if (kind === 'Service' && group !== '') {
    ref.problem('group', 'is not the group of Service', 'write group: ""');
    return null;
  }
  if (kind !== 'Service') return null;
  if (section !== undefined) ref.problem('sectionName', 'is not supported for a Service', 'use port');
  return name === undefined ? null : { namespace, name, port };
}

function readRules({ everything, readRule }: RouteForm, spec: Fields, namespace: string): ParsedRule[] {
  if (!spec.has('rules')) {
    const rule = { name: '', matches: [everything], filters: [], backends: [], retry: undefined };
    return [{ rule: { ...rule, requestTimeoutMs: 0, backendTimeoutMs: 0 }, references: [] }];
  }
  return spec.objects('rules', maxRules).map((rule) => readRule(rule, namespace));
}

export interface ParsedBackend {
  readonly backend: Backend;
  readonly reference: BackendReference;
}

/** A backend reference; `readFilters` reads its filters. */
export function readBackend(
  ref: Fields,
  routeNamespace: string,
  readFilters: (ref: Fields) => HttpFilter[],
): ParsedBackend {
  const name = ref.requiredText('name', dnsSubdomain) ?? '';
  const kind = ref.text('kind') ?? 'Service';
  const group = ref.text('group') ?? '';
  const namespace = ref.text('namespace', dnsLabel) ?? routeNamespace;
  const port = ref.number('port', 1, 65_535);
  if (!ref.has('port') && kind === 'Service' && group === '') {
    ref.problem('port', 'is missing', "add the service's port number");
  }
  const weight = ref.number('weight', 0, 1_000_000) ?? 1;
  const filters = readFilters(ref);
  ref.finish();
  return {
    backend: { service: null, weight, filters },
    reference: { group, kind, namespace, name, port: port ?? 0 },
  };
}

export function refuseSessionPersistence(rule: Fields): void {
  if (rule.has('sessionPersistence')) rule.problem('sessionPersistence', 'is not supported', 'remove it');
}

/** What holds over all rules of a route. */
function checkRules(spec: Fields, parsed: readonly ParsedRule[]): void {
  const total = parsed.reduce((sum, { rule }) => sum + rule.matches.length, 0);
  if (total > maxMatchesInAll) {
    spec.problem('rules', `hold ${total} matches, at most ${maxMatchesInAll} are allowed`, 'split the route');
  }
  const seen = new Set<string>();
  for (const [index, { rule }] of parsed.entries()) {
    if (rule.name !== '' && seen.has(rule.name)) {
      const path = [...spec.path, 'rules', index, 'name'];
      spec.problems.push(fieldProblem(path, rule.name, 'is used twice', 'give each rule its own name'));
    }
    seen.add(rule.name);
  }
}
