/** Message to model. Strict: whatever the model cannot hold is a problem with the field's path. */
import type { Problem, Resource, ResourceKind } from '../model/resource.js';
import { decodeHttpRoute } from './decode-http-route.js';
import { decodePolicy } from './decode-policy.js';
import { decodeEndpoints, decodeMesh, decodeService, decodeWorkload } from './decode-workload.js';
import type { ReceivedResource } from './messages.js';
import { ProblemList } from './problem-list.js';
import { decodeWorkloadIndex } from './workload-index.js';

/** A resource, or what to answer about it. */
export type DecodedResource =
  | { readonly ok: true; readonly resource: Resource }
  | {
      readonly ok: false;
      /** `unknown` where the message holds no body that this build knows. */
      readonly kind: ResourceKind | 'unknown';
      readonly name: string;
      readonly version: string;
      readonly problems: readonly Problem[];
    };

/** Reads one received resource; never throws on what a peer can send. */
export function decodeResource(message: ReceivedResource): DecodedResource {
  const { name, version, ownerNamespace } = message;
  const problems = new ProblemList();
  if (name === '') problems.add('name', name, 'is missing', 'send it');
  if (version === '') problems.add('version', version, 'is missing', 'send it');
  const body = decodeBody(message, problems);
  if (body === null) {
    problems.add('body', message.body ?? '', 'is of no kind that this build knows', 'upgrade this side');
    return { ok: false, kind: 'unknown', name, version, problems: problems.problems };
  }
  checkIdentity(body, name, ownerNamespace, problems);
  if (!problems.empty) return { ok: false, kind: body.kind, name, version, problems: problems.problems };
  return { ok: true, resource: { ...body, name, version, ownerNamespace } };
}

type Body = {
  [Kind in ResourceKind]: Pick<Extract<Resource, { kind: Kind }>, 'kind' | 'body'>;
}[ResourceKind];

function decodeBody(message: ReceivedResource, problems: ProblemList): Body | null {
  if (message.mesh) return { kind: 'mesh', body: decodeMesh(message.mesh, problems) };
  if (message.workload) return { kind: 'workload', body: decodeWorkload(message.workload, problems) };
  if (message.workloadIndex) {
    return { kind: 'workload-index', body: decodeWorkloadIndex(message.workloadIndex, problems) };
  }
  if (message.service) return { kind: 'service', body: decodeService(message.service, problems) };
  if (message.endpoints) return { kind: 'endpoints', body: decodeEndpoints(message.endpoints, problems) };
  if (message.httpRoute) {
    return { kind: 'http-route', body: decodeHttpRoute('http-route', message.httpRoute, problems) };
  }
  if (message.grpcRoute) {
    return { kind: 'grpc-route', body: decodeHttpRoute('grpc-route', message.grpcRoute, problems) };
  }
  if (message.authorizationPolicy) {
    return { kind: 'authorization-policy', body: decodePolicy(message.authorizationPolicy, problems) };
  }
  return null;
}

/** A resource's name and owner follow from its body; a message that says otherwise could touch another tenant. */
function checkIdentity(body: Body, name: string, ownerNamespace: string, problems: ProblemList): void {
  const expected = resourceName(body);
  if (expected !== null && name !== expected)
    problems.add('name', name, `does not fit the body`, `send '${expected}'`);
  const owner = body.kind === 'mesh' || body.kind === 'workload-index' ? '' : body.body.namespace;
  if (ownerNamespace !== owner) {
    problems.add('ownerNamespace', ownerNamespace, 'does not fit the body', `send '${owner}'`);
  }
}

/** The name that a body has among its kind (see {@link ResourceKey}); null where it does not follow from the body. */
export function resourceName(body: Body): string | null {
  switch (body.kind) {
    case 'workload-index':
      return null;
    case 'mesh':
      return 'mesh';
    case 'workload':
      return body.body.uid;
    case 'service':
    case 'endpoints':
    case 'http-route':
    case 'grpc-route':
    case 'authorization-policy':
      return `${body.body.namespace}/${body.body.name}`;
  }
}
