/** Invariants of resources that parsing alone does not give; the controller and the agent both ask here. */
import { checkPolicy } from './check-policy.js';
import { checkRoute } from './check-route.js';
import {
  checkEndpoints,
  checkMesh,
  checkService,
  checkWorkload,
  checkWorkloadIndex,
} from './check-service.js';
import { problem } from './problem.js';
import type { Problem, Resource } from './resource.js';

/** Everything that is wrong with a resource by itself; empty where it may come into force. */
export function checkResource(resource: Resource): Problem[] {
  switch (resource.kind) {
    case 'mesh':
      return [...checkName(resource, 'mesh', ''), ...checkMesh(resource.body)];
    case 'workload':
      return [
        ...checkName(resource, resource.body.uid, resource.body.namespace),
        ...checkWorkload(resource.body),
      ];
    case 'workload-index':
      return [...checkName(resource, resource.name, ''), ...checkWorkloadIndex(resource.body)];
    case 'service':
      return [...checkOwned(resource, resource.body), ...checkService(resource.body)];
    case 'endpoints':
      return [...checkOwned(resource, resource.body), ...checkEndpoints(resource.body)];
    case 'http-route':
    case 'grpc-route':
      return [...checkOwned(resource, resource.body), ...checkRoute(resource.body)];
    case 'authorization-policy':
      return [...checkOwned(resource, resource.body), ...checkPolicy(resource.body)];
  }
}

function checkOwned(
  resource: Resource,
  body: { readonly namespace: string; readonly name: string },
): Problem[] {
  return checkName(resource, `${body.namespace}/${body.name}`, body.namespace);
}

/** A resource speaks for itself and for its own namespace only. */
function checkName(resource: Resource, name: string, namespace: string): Problem[] {
  const problems: Problem[] = [];
  if (resource.name !== name) {
    const message = `the resource is named ${resource.name} and holds ${name}`;
    problems.push(problem('metadata.name', resource.name, message, `name it ${name}`));
  }
  if (resource.ownerNamespace !== namespace) {
    const message = `namespace ${resource.ownerNamespace} cannot own a resource of namespace ${namespace}`;
    const fix = 'publish it as its own namespace';
    problems.push(problem('metadata.namespace', resource.ownerNamespace, message, fix));
  }
  return problems;
}
