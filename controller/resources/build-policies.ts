/** Which workloads a policy protects, and what follows from that for how they fail. */
import { isStrict } from '../../model/mtls.js';
import type { AuthorizationPolicy, PolicyTarget } from '../../model/policy.js';
import type { EndpointSet } from '../../model/service.js';
import type { Workload } from '../../model/workload.js';
import { Each } from '../derive/derived.js';
import { Grouping } from '../derive/grouping.js';
import type { Table } from '../derive/table.js';
import type { PolicyManifest } from '../parse/manifest.js';
import type { BuiltWorkload } from './build-workloads.js';
import type { CrossCheck, Stored } from './cross-check.js';
import type { ManifestTables } from './manifest-tables.js';

/** Says where a policy protects nobody. */
export function derivePolicies(
  { policies }: ManifestTables,
  workloads: Table<BuiltWorkload>,
  sets: Table<EndpointSet>,
): Table<AuthorizationPolicy> {
  const known = new KnownWorkloads(workloads, sets);
  return new Each(policies, (stored, check) => {
    const { policy } = stored.manifest;
    for (const [index, target] of policy.targets.entries()) warnUnknown(stored, index, target, sets, check);
    if (!known.protectedBy(policy)) {
      check.warning(stored, ['spec'], '', 'protects no known workload', 'check selector and namespace');
    }
    return policy;
  });
}

/** Workloads as targets of policies name them. */
class KnownWorkloads {
  readonly #sets: Table<EndpointSet>;
  readonly #byUid: Grouping<BuiltWorkload>;
  readonly #byNamespace: Grouping<BuiltWorkload>;
  readonly #byLabel: Grouping<BuiltWorkload>;

  constructor(workloads: Table<BuiltWorkload>, sets: Table<EndpointSet>) {
    this.#sets = sets;
    this.#byUid = new Grouping(workloads, ({ workload }) => [workload.uid]);
    this.#byNamespace = new Grouping(workloads, ({ workload }) => [workload.namespace]);
    this.#byLabel = new Grouping(workloads, ({ workload: { namespace, labels } }) =>
      Object.entries(labels).map(([name, value]) => labelKey(namespace, name, value)),
    );
  }

  /** Whether the policy protects anybody. */
  protectedBy({ namespace, targets }: AuthorizationPolicy): boolean {
    if (targets.length === 0) return this.#byNamespace.has(namespace);
    return targets.some((target) => {
      if (target.kind === 'Service') {
        const members = uidsBehind(this.#sets.get(`${namespace}/${target.name}`));
        return members.some((uid) =>
          this.#byUid.some(uid, ({ workload }) => workload.namespace === namespace),
        );
      }
      const [first] = Object.entries(target.labels);
      if (first === undefined) return this.#byNamespace.has(namespace);
      return this.#byLabel.some(labelKey(namespace, ...first), ({ workload }) =>
        hasLabels(workload, target.labels),
      );
    });
  }
}

function labelKey(namespace: string, name: string, value: string): string {
  return `${namespace} ${name} ${value}`;
}

function hasLabels(workload: Workload, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => workload.labels[name] === value);
}

function uidsBehind(set: EndpointSet | undefined): string[] {
  return (set?.endpoints ?? []).map(({ workloadUid }) => workloadUid).filter((uid) => uid !== '');
}

function warnUnknown(
  stored: Stored<PolicyManifest>,
  index: number,
  target: PolicyTarget,
  sets: Table<EndpointSet>,
  check: CrossCheck,
): void {
  const { namespace } = stored.manifest.policy;
  if (target.kind !== 'Service' || sets.get(`${namespace}/${target.name}`) !== undefined) return;
  const path = ['spec', 'targetRefs', index, 'name'];
  const fix = 'add the service, or correct the name';
  check.warning(stored, path, target.name, 'names no known service', fix, 'TargetNotFound');
}

/** A pod that somebody must not reach may not fall open when its proxy is gone. */
export function forbidOpenFailure(
  built: Table<BuiltWorkload>,
  policies: Table<AuthorizationPolicy>,
  sets: Table<EndpointSet>,
): Table<Workload> {
  const strict = new Grouping(policies, ({ namespace, action, mode, requireAuthenticated, broken }) =>
    mode === 'Enforce' && (action === 'DENY' || requireAuthenticated || broken) ? [namespace] : [],
  );
  return new Each(built, ({ stored, workload }, check) => {
    if (workload.capture?.failMode !== 'open') return workload;
    const inNamespace = strict.get(workload.namespace);
    const policy = inNamespace.find((candidate) => protects(candidate, workload, sets));
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

/** Whether a policy of the workload's namespace targets it. No target at all is the whole namespace. */
function protects(policy: AuthorizationPolicy, workload: Workload, sets: Table<EndpointSet>): boolean {
  if (policy.targets.length === 0) return true;
  return policy.targets.some((target) =>
    target.kind === 'Service'
      ? uidsBehind(sets.get(`${policy.namespace}/${target.name}`)).includes(workload.uid)
      : hasLabels(workload, target.labels),
  );
}
