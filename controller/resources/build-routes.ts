/** Routes with their references resolved against services and grants. */
import type { HttpRoute } from '../../model/route.js';
import { Each } from '../derive/derived.js';
import { Grouping } from '../derive/grouping.js';
import type { Table } from '../derive/table.js';
import type {
  BackendReference,
  ReferenceGrantManifest,
  RouteManifest,
  ServiceManifest,
} from '../parse/manifest.js';
import { type BuiltRoute, checkRouteKinds } from './check-route-kinds.js';
import type { CrossCheck, Stored } from './cross-check.js';
import type { ManifestTables } from './manifest-tables.js';
import type { ConditionReason } from './status-problem.js';

interface RouteReferences {
  /** By `namespace/name`. */
  readonly services: Table<Stored<ServiceManifest>>;
  /** By the namespace that is referred to. */
  readonly grants: Grouping<Stored<ReferenceGrantManifest>>;
}

/** Routes that are attached to at least one service. A backend that cannot be used answers 500, UNAVAILABLE to gRPC. */
export function deriveRoutes({ routes, services, grants }: ManifestTables): Table<HttpRoute> {
  const references: RouteReferences = {
    services,
    grants: new Grouping(grants, ({ manifest }) => [manifest.id.namespace]),
  };
  const built = new Each(routes, (stored, check) => buildRoute(stored, references, check));
  const grpc = new Grouping(built, ({ route }) => (route.kind === 'grpc-route' ? [route.namespace] : []));
  new Each(built, (one, check) => checkRouteKinds(one, grpc, services, check));
  return new Each(built, ({ route }) => route);
}

function buildRoute(
  stored: Stored<RouteManifest>,
  references: RouteReferences,
  check: CrossCheck,
): BuiltRoute | undefined {
  const { route } = stored.manifest;
  const parents = route.parents.filter((_, index) => parentExists(stored, index, references, check));
  if (parents.length === 0) {
    const fix = 'name a Service with group: "" and kind: Service';
    check.warning(stored, ['spec', 'parentRefs'], '', 'attaches the route to no service', fix);
    return undefined;
  }
  const rules = route.rules.map((rule, ruleIndex) => ({
    ...rule,
    backends: rule.backends.map((backend, index) => ({
      ...backend,
      service: resolveBackend(stored, ruleIndex, index, references, check),
    })),
  }));
  return { stored, route: { ...route, parents, rules } };
}

function parentExists(
  stored: Stored<RouteManifest>,
  index: number,
  { services }: RouteReferences,
  check: CrossCheck,
): boolean {
  const parent = stored.manifest.route.parents[index];
  if (parent === undefined) return false;
  const service = services.get(`${parent.namespace}/${parent.name}`)?.manifest;
  const path = ['spec', 'parentRefs', stored.manifest.parentPlaces[index] ?? index];
  const warn = (field: string, value: unknown, message: string, fix: string, reason: ConditionReason) =>
    check.warning(stored, [...path, field], value, message, fix, reason);
  if (service === undefined) {
    warn('name', parent.name, 'names no known service', 'add the service', 'NoMatchingParent');
    return false;
  }
  if (service.form !== 'virtual') {
    const fix = 'a parent needs a virtual address';
    warn('name', parent.name, `is a ${service.form} service`, fix, 'UnsupportedValue');
    return false;
  }
  const { port } = parent;
  if (port !== undefined && !service.service.ports.some((candidate) => candidate.port === port)) {
    warn('port', port, `is no port of service ${parent.name}`, portsFix(service), 'NoMatchingParent');
    return false;
  }
  const ports = service.service.ports.filter((candidate) => port === undefined || candidate.port === port);
  if (!ports.some(({ protocol }) => protocol === 'http' || protocol === 'http2' || protocol === 'grpc')) {
    const fix = 'declare appProtocol: http (http2, grpc) on the port of the service';
    const message = 'declares no HTTP there, so the route decides nothing';
    warn('name', parent.name, message, fix, 'UnsupportedValue');
  }
  return true;
}

function resolveBackend(
  stored: Stored<RouteManifest>,
  ruleIndex: number,
  index: number,
  references: RouteReferences,
  check: CrossCheck,
): { namespace: string; name: string; port: number } | null {
  const reference = stored.manifest.references[ruleIndex]?.[index];
  if (reference === undefined) return null;
  const refusal = refuseReference(stored.manifest.id, reference, references);
  if (refusal === null) return { namespace: reference.namespace, name: reference.name, port: reference.port };
  const path = ['spec', 'rules', ruleIndex, 'backendRefs', index, refusal.field];
  const answer = stored.manifest.route.kind === 'grpc-route' ? 'UNAVAILABLE' : '500';
  check.warning(
    stored,
    path,
    refusal.value,
    `${refusal.message}; such requests are answered ${answer}`,
    refusal.fix,
    refusal.reason,
  );
  return null;
}

/** Why a reference cannot be used, null where it can. */
function refuseReference(
  route: RouteManifest['id'],
  reference: BackendReference,
  { services, grants }: RouteReferences,
): { field: string; value: unknown; message: string; fix: string; reason: ConditionReason } | null {
  const { group, kind, namespace, name, port } = reference;
  if (group !== '' || kind !== 'Service') {
    const value = `${group}/${kind}`;
    const message = 'is not supported as a backend';
    return { field: 'kind', value, message, fix: 'name a Service', reason: 'InvalidKind' };
  }
  if (namespace !== route.namespace && !isGranted(route, namespace, name, grants)) {
    const from = `${route.kind} of ${route.namespace}`;
    const fix = `add a ReferenceGrant in namespace ${namespace} from ${from} to Service`;
    const message = 'is not permitted by a ReferenceGrant';
    return { field: 'namespace', value: namespace, message, fix, reason: 'RefNotPermitted' };
  }
  const service = services.get(`${namespace}/${name}`)?.manifest;
  if (service === undefined) {
    const message = 'names no known service';
    return { field: 'name', value: name, message, fix: 'add the service', reason: 'BackendNotFound' };
  }
  if (service.form === 'external-name') {
    return {
      field: 'name',
      value: name,
      message: 'is an ExternalName service',
      fix: 'name one with endpoints',
      reason: 'InvalidKind',
    };
  }
  if (!service.service.ports.some((candidate) => candidate.port === port)) {
    const message = `is no port of service ${name}`;
    return { field: 'port', value: port, message, fix: portsFix(service), reason: 'BackendNotFound' };
  }
  return null;
}

/** GEP-709: a grant lives in the namespace that is referred to. */
function isGranted(
  route: RouteManifest['id'],
  to: string,
  service: string,
  grants: Grouping<Stored<ReferenceGrantManifest>>,
): boolean {
  return grants.some(
    to,
    ({ manifest: grant }) =>
      grant.from.some(({ kind, namespace }) => kind === route.kind && namespace === route.namespace) &&
      (grant.services === null || grant.services.includes(service)),
  );
}

function portsFix({ service }: ServiceManifest): string {
  return `its ports are ${service.ports.map(({ port }) => port).join(', ') || 'none'}`;
}
