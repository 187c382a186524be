/** What a policy says and its targets' ports cannot keep: requests where bytes are opaque, proofs that nobody gives. */
import { applyDelta } from '../model/apply-delta.js';
import { carriesRequests, portProtocol } from '../model/find-destination.js';
import { modeOf } from '../model/mtls.js';
import type { PolicyRule } from '../model/policy.js';
import type { Resource } from '../model/resource.js';
import { emptySnapshot, programOf, type Snapshot, type WorkloadView } from '../model/snapshot.js';
import type { PolicyManifest } from './parse/manifest.js';
import { CrossCheck, type Stored } from './resources/cross-check.js';
import type { StoredManifest } from './resources/manifest-store.js';
import type { StatusProblem } from './resources/status-problem.js';

/** A port of a protected workload. */
interface Door {
  readonly view: WorkloadView;
  readonly port: number;
}

export function vetPolicies(
  manifests: readonly StoredManifest[],
  resources: readonly Resource[],
): StatusProblem[] {
  const { snapshot } = applyDelta(emptySnapshot, { upserts: resources, removals: [] }, 1);
  const check = new CrossCheck();
  for (const stored of manifests) {
    const { manifest } = stored;
    if (!('policy' in manifest) || manifest.policy.broken) continue;
    vetPolicy(snapshot, { ...stored, manifest }, check);
  }
  return check.problems;
}

function vetPolicy(snapshot: Snapshot, stored: Stored<PolicyManifest>, check: CrossCheck): void {
  const { policy } = stored.manifest;
  const key = `${policy.namespace}/${policy.name}`;
  const views = [...snapshot.workloads.values()].filter((view) =>
    programOf(snapshot, view).policies.some((one) => one.key === key),
  );
  const doors = views.flatMap((view) => knownPorts(snapshot, view).map((port) => ({ view, port })));
  for (const [index, rule] of policy.rules.entries()) {
    const path = ['spec', 'rules', index];
    const own: Door[] = rule.ports.flatMap((port) => views.map((view) => ({ view, port })));
    vetRequests(snapshot, stored, path, rule, { own, doors }, check);
    if (!readsIdentity(rule)) continue;
    const open = (rule.ports.length > 0 ? own : doors).find(
      ({ view, port }) => mode(view, port) === 'disabled',
    );
    if (open === undefined) continue;
    const message = `is told by address alone on ${describe(open)}, whose mutual TLS is disabled`;
    check.warning(stored, [...path, 'sources'], '', message, 'make it Permissive or Strict');
  }
  vetProofs(stored, doors, check);
}

/** On an opaque port an ALLOW rule about requests never matches and a DENY rule matches without them. */
function vetRequests(
  snapshot: Snapshot,
  stored: Stored<PolicyManifest>,
  path: readonly (string | number)[],
  { http, ports }: PolicyRule,
  { own, doors }: { readonly own: readonly Door[]; readonly doors: readonly Door[] },
  check: CrossCheck,
): void {
  if (http === null) return;
  const isOpaque = ({ view, port }: Door) => !carriesRequests(portProtocol(snapshot, view, port));
  const effect =
    stored.manifest.policy.action === 'ALLOW'
      ? 'the rule never matches there'
      : 'the rule denies whatever comes there';
  const fix = 'declare appProtocol: http (or http2, grpc) on the port, or leave http out';
  const opaque = own.find(isOpaque);
  if (opaque !== undefined) {
    const message = `is about requests, and ${describe(opaque)} carries opaque bytes: ${effect}`;
    check.warning(stored, [...path, 'ports'], opaque.port, message, fix);
  } else if (ports.length === 0 && doors.length > 0 && doors.every(isOpaque)) {
    const message = `is about requests, and no port of what the policy protects carries any: ${effect}`;
    check.warning(stored, [...path, 'http'], '', message, fix);
  }
}

/** requireAuthenticated refuses by policy what the transport could refuse by name, and all where nobody proves anything. */
function vetProofs(stored: Stored<PolicyManifest>, doors: readonly Door[], check: CrossCheck): void {
  const { policy } = stored.manifest;
  if (!policy.requireAuthenticated || policy.action !== 'ALLOW') return;
  const path = ['spec', 'requireAuthenticated'];
  const closed = doors.find(({ view, port }) => mode(view, port) === 'disabled' || !view.workload.captured);
  if (closed !== undefined) {
    const why = closed.view.workload.captured ? 'its mutual TLS is disabled' : 'it is not captured';
    const message = `refuses every caller of ${describe(closed)}, where nobody can prove anything: ${why}`;
    check.warning(stored, path, true, message, 'make it Permissive or Strict, or drop requireAuthenticated');
    return;
  }
  const permissive = doors.find(({ view, port }) => mode(view, port) === 'permissive');
  if (permissive === undefined) return;
  const message = `refuses callers without TLS, which ${describe(permissive)} still takes`;
  check.warning(stored, path, true, message, 'make it Strict by a PeerAuthentication');
}

function readsIdentity({ sources }: PolicyRule): boolean {
  return sources.serviceAccounts.length + sources.namespaces.length + sources.spiffeIds.length > 0;
}

const mode = (view: WorkloadView, port: number) => modeOf(view.workload, port);

/** Ports that the workload or a service in front of it declares. */
function knownPorts(snapshot: Snapshot, { workload }: WorkloadView): number[] {
  const ports = new Set(workload.ports.map(({ port }) => port));
  for (const address of workload.addresses) {
    for (const key of snapshot.servicesByEndpoint.get(address) ?? []) {
      const endpoint = snapshot.services.get(key)?.endpointsByAddress.get(address);
      for (const port of Object.values(endpoint?.ports ?? {})) ports.add(port);
    }
  }
  return [...ports].sort((a, b) => a - b);
}

function describe({ view: { workload }, port }: Door): string {
  return `port ${port} of ${workload.namespace}/${workload.name}`;
}
