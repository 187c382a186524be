/** Which workloads a policy protects, and what follows from that for how they fail. */
import { isStrict } from '../../model/mtls.js';
import type { AuthorizationPolicy } from '../../model/policy.js';
import type { EndpointSet } from '../../model/service.js';
import type { Workload } from '../../model/workload.js';
import type { PolicyManifest } from '../parse/manifest.js';
import type { BuiltWorkload } from './build-workloads.js';
import type { CrossCheck, Stored } from './manifests-by-kind.js';

/** Workloads by the `namespace/name` of the services that they stand behind. */
export type ServiceMembers = ReadonlyMap<string, ReadonlySet<string>>;

/** uids behind each service. */
export function membersOf(sets: readonly EndpointSet[]): ServiceMembers {
  return new Map(
    sets.map(({ namespace, name, endpoints }) => [
      `${namespace}/${name}`,
      new Set(endpoints.map((endpoint) => endpoint.workloadUid).filter((uid) => uid !== '')),
    ]),
  );
}

/** Whether a policy's targets include a workload. No target at all is the whole namespace. */
export function protects(policy: AuthorizationPolicy, workload: Workload, members: ServiceMembers): boolean {
  if (policy.namespace !== workload.namespace) return false;
  if (policy.targets.length === 0) return true;
  return policy.targets.some((target) =>
    target.kind === 'Service'
      ? members.get(`${policy.namespace}/${target.name}`)?.has(workload.uid) === true
      : Object.entries(target.labels).every(([name, value]) => workload.labels[name] === value),
  );
}

/** Says where a policy protects nobody. */
export function buildPolicies(
  manifests: readonly Stored<PolicyManifest>[],
  workloads: readonly Workload[],
  members: ServiceMembers,
  check: CrossCheck,
): AuthorizationPolicy[] {
  return manifests.map((stored) => {
    const { policy } = stored.manifest;
    for (const [index, target] of policy.targets.entries()) {
      if (target.kind !== 'Service' || members.has(`${policy.namespace}/${target.name}`)) continue;
      const path = ['spec', 'targetRefs', index, 'name'];
      check.warning(
        stored,
        path,
        target.name,
        'names no known service',
        'add the service, or correct the name',
        'TargetNotFound',
      );
    }
    if (!workloads.some((workload) => protects(policy, workload, members))) {
      check.warning(stored, ['spec'], '', 'protects no known workload', 'check selector and namespace');
    }
    return policy;
  });
}

/** A pod that somebody must not reach may not fall open when its proxy is gone. */
export function forbidOpenFailure(
  built: readonly BuiltWorkload[],
  policies: readonly AuthorizationPolicy[],
  members: ServiceMembers,
  check: CrossCheck,
): Workload[] {
  const strict = policies.filter(
    ({ action, mode, requireAuthenticated, broken }) =>
      mode === 'Enforce' && (action === 'DENY' || requireAuthenticated || broken),
  );
  return built.map(({ stored, workload }) => {
    if (workload.capture?.failMode !== 'open') return workload;
    const policy = strict.find((candidate) => protects(candidate, workload, members));
    const forbidding = policy === undefined ? null : `policy ${policy.namespace}/${policy.name}`;
    const by = forbidding ?? (isStrict(workload.mtls) ? 'strict mutual TLS' : null);
    if (by === null) return workload;
    const path =
      stored.manifest.id.kind === 'Pod'
        ? ['metadata', 'annotations', 'weft.dev/fail-mode']
        : ['spec', 'capture', 'failMode'];
    const message = `is forbidden by ${by}: it would lapse with the proxy`;
    check.error(stored, path, 'open', message, 'write closed; closed is in force', 'closed');
    return { ...workload, capture: { ...workload.capture, failMode: 'closed' } };
  });
}
