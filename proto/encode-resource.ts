/** Model to message. Total: every value that the model can hold has a message. */
import type { AuthorizationPolicy } from '../model/policy.js';
import type { Problem, Resource, ResourceKind } from '../model/resource.js';
import type {
  HttpFilter,
  HttpRoute,
  HttpRouteMatch,
  HttpRouteRule,
  NamedMatch,
  PathEdit,
  PathMatch,
} from '../model/route.js';
import type { EndpointSet, Service } from '../model/service.js';
import type { Workload } from '../model/workload.js';
import type {
  EndpointSetMessage,
  HttpFilterMessage,
  HttpRouteMatchMessage,
  HttpRouteMessage,
  HttpRouteRuleMessage,
  NamedMatchMessage,
  PathEditMessage,
  PolicyMessage,
  RefusalMessage,
  ResourceMessage,
  ServiceMessage,
  WorkloadMessage,
} from './messages.js';
import { encodeWorkloadIndex } from './workload-index.js';

/** One resource as it travels. */
export function encodeResource(resource: Resource): ResourceMessage {
  const { name, version, ownerNamespace } = resource;
  return { name, version, ownerNamespace, ...encodeBody(resource) };
}

/** Why an agent refused a resource, for its acknowledgement. */
export function encodeRefusal(
  kind: ResourceKind | 'unknown',
  name: string,
  version: string,
  problems: readonly Problem[],
): RefusalMessage {
  return { kind, name, version, problems: [...problems] };
}

function encodeBody(resource: Resource): ResourceMessage {
  switch (resource.kind) {
    case 'mesh':
      return {
        mesh: {
          ...resource.body,
          ranges: [...resource.body.ranges],
          enrolledNamespaces: [...resource.body.enrolledNamespaces],
        },
      };
    case 'workload':
      return { workload: encodeWorkload(resource.body) };
    case 'workload-index':
      return { workloadIndex: encodeWorkloadIndex(resource.body) };
    case 'service':
      return { service: encodeService(resource.body) };
    case 'endpoints':
      return { endpoints: encodeEndpoints(resource.body) };
    case 'http-route':
      return { httpRoute: encodeRoute(resource.body) };
    case 'grpc-route':
      return { grpcRoute: encodeRoute(resource.body) };
    case 'authorization-policy':
      return { authorizationPolicy: encodePolicy(resource.body) };
  }
}

function encodeWorkload(workload: Workload): WorkloadMessage {
  const { locality, capture, mtls, ...rest } = workload;
  return {
    ...rest,
    region: locality.region,
    zone: locality.zone,
    addresses: [...workload.addresses],
    ports: [...workload.ports],
    capture: capture === null ? null : { ...capture, probePorts: [...capture.probePorts] },
    mtls: { mode: mtls.mode, ports: { ...mtls.ports } },
  };
}

function encodeService({ affinitySeconds, ...service }: Service): ServiceMessage {
  return {
    ...service,
    addresses: [...service.addresses],
    ports: [...service.ports],
    sessionAffinity: affinitySeconds > 0,
    sessionAffinitySeconds: affinitySeconds,
  };
}

function encodeEndpoints(set: EndpointSet): EndpointSetMessage {
  return { namespace: set.namespace, name: set.name, endpoints: [...set.endpoints] };
}

function encodeRoute(route: HttpRoute): HttpRouteMessage {
  return {
    namespace: route.namespace,
    name: route.name,
    parents: route.parents.map((parent) => ({ ...parent, port: parent.port ?? 0 })),
    hostnames: [...route.hostnames],
    rules: route.rules.map(encodeRule),
    createdMs: route.createdMs,
  };
}

function encodeRule(rule: HttpRouteRule): HttpRouteRuleMessage {
  return {
    name: rule.name,
    matches: rule.matches.map(encodeMatch),
    filters: rule.filters.map(encodeFilter),
    backends: rule.backends.map(({ service, weight, filters }) => ({
      service,
      weight,
      filters: filters.map(encodeFilter),
    })),
    requestTimeoutMs: rule.requestTimeoutMs,
    backendTimeoutMs: rule.backendTimeoutMs,
    retry: rule.retry === undefined ? null : { ...rule.retry, codes: [...rule.retry.codes] },
  };
}

function encodeMatch(match: HttpRouteMatch): HttpRouteMatchMessage {
  return {
    ...encodePath(match.path),
    headers: match.headers.map(encodeNamedMatch),
    queryParams: match.queryParams.map(encodeNamedMatch),
    method: match.method ?? '',
  };
}

function encodePath(path: PathMatch): HttpRouteMatchMessage {
  switch (path.type) {
    case 'Exact':
    case 'PathPrefix':
    case 'RegularExpression':
      return { pathType: path.type, pathValue: path.value };
    case 'GrpcExact':
    case 'GrpcRegularExpression':
      return { pathType: path.type, grpcService: path.service, grpcMethod: path.method };
  }
}

function encodeNamedMatch({ name, match }: NamedMatch): NamedMatchMessage {
  return { name, type: match.type, value: match.value };
}

function encodeFilter(filter: HttpFilter): HttpFilterMessage {
  switch (filter.type) {
    case 'RequestHeaderModifier':
      return { requestHeaderModifier: copyEdits(filter.edits) };
    case 'ResponseHeaderModifier':
      return { responseHeaderModifier: copyEdits(filter.edits) };
    case 'RequestRedirect':
      return {
        requestRedirect: {
          scheme: filter.scheme ?? '',
          hostname: filter.hostname ?? '',
          path: encodePathEdit(filter.path),
          port: filter.port ?? 0,
          statusCode: filter.statusCode,
        },
      };
    case 'URLRewrite':
      return { urlRewrite: { hostname: filter.hostname ?? '', path: encodePathEdit(filter.path) } };
  }
}

function copyEdits(edits: Extract<HttpFilter, { type: 'RequestHeaderModifier' }>['edits']) {
  return { set: [...edits.set], add: [...edits.add], remove: [...edits.remove] };
}

function encodePathEdit(edit: PathEdit | undefined): PathEditMessage | null {
  return edit === undefined ? null : { type: edit.type, value: edit.value };
}

function encodePolicy(policy: AuthorizationPolicy): PolicyMessage {
  return {
    ...policy,
    targets: policy.targets.map((target) =>
      target.kind === 'Service' ? { service: target.name } : { selector: { labels: { ...target.labels } } },
    ),
    rules: policy.rules.map(({ sources, ports, http }) => ({
      sources: {
        serviceAccounts: [...sources.serviceAccounts],
        namespaces: [...sources.namespaces],
        spiffeIds: [...sources.spiffeIds],
      },
      ports: [...ports],
      http:
        http === null
          ? null
          : {
              methods: [...http.methods],
              paths: [...http.paths],
              hosts: [...http.hosts],
              headers: http.headers.map(({ name, values }) => ({ name, values: [...values] })),
            },
    })),
  };
}
