/** /why: what would happen to a connection or request, and which resource decides (model/why.ts). */
import { parseAddress } from '../../../model/address.js';
import type { TransportAnswer } from '../../../model/explain-transport.js';
import { normalizePath, pathAmbiguities } from '../../../model/normal-path.js';
import { normalizeHost, pathEnd, type RequestHead } from '../../../model/request-head.js';
import type { Snapshot, WorkloadView } from '../../../model/snapshot.js';
import { workloadAt } from '../../../model/snapshot.js';
import { explain, missingDetails, type Answer as WhyAnswer } from '../../../model/why.js';
import type { Detail } from '../../../model/workload-index.js';
import { Reason, reasonName, reasonOf } from '../../../reasons/reasons.js';
import { type Answer, jsonAnswer } from './serve-http.js';

const usage =
  '/why?source=NAMESPACE/NAME|UID|ADDRESS&destination=HOST:PORT[&method=GET&path=/…&host=…&header.NAME=VALUE]; ' +
  'HOST is an address, a service as NAME.NAMESPACE or NAMESPACE/NAME, or a workload’s uid';

/** A node answers from what it holds; where that does not do, more is fetched so often. */
const maxFetches = 3;

/**
 * @param current what is in force, asked anew after each fetch
 * @param fetch asks for details and resolves once they are in force, or late
 */
export async function answerWhy(
  current: () => Snapshot,
  query: URLSearchParams,
  fetch: (details: readonly Detail[]) => Promise<void>,
): Promise<Answer> {
  for (let fetches = 0; ; fetches += 1) {
    const snapshot = current();
    const destination = readDestination(snapshot, query.get('destination') ?? '');
    if (destination === null) return jsonAnswer(400, { error: 'the destination is not known', usage });
    const sourceText = query.get('source') ?? '';
    const source = sourceText === '' ? undefined : findWorkload(snapshot, sourceText);
    if (sourceText !== '' && source === undefined && parseAddress(sourceText) === null) {
      return jsonAnswer(400, { error: `no workload is called ${sourceText}`, usage });
    }
    const answer = explain(snapshot, { source, ...destination, request: readRequest(query) });
    const missing = missingDetails(answer);
    if (missing.length === 0 || fetches === maxFetches) {
      return jsonAnswer(200, { snapshot: snapshot.version, ...describe(snapshot, answer) });
    }
    await fetch(missing);
  }
}

function readDestination(snapshot: Snapshot, text: string): { address: string; port: number } | null {
  const match = /^\[?([^\]]+?)\]?:([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? '';
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65535) return null;
  const [name = '', namespace = ''] = host.includes('/') ? host.split('/').reverse() : host.split('.');
  const named = snapshot.services.get(`${namespace}/${name}`)?.service.addresses[0];
  const address = parseAddress(host) ?? named ?? findWorkload(snapshot, host)?.workload.addresses[0];
  return address === undefined ? null : { address, port };
}

function findWorkload(snapshot: Snapshot, text: string): WorkloadView | undefined {
  const address = parseAddress(text);
  const byKey =
    snapshot.workloads.get(text) ?? (address === null ? undefined : workloadAt(snapshot, address));
  if (byKey !== undefined) return byKey;
  for (const view of snapshot.workloads.values()) {
    if (`${view.workload.namespace}/${view.workload.name}` === text) return view;
  }
  return undefined;
}

function readRequest(query: URLSearchParams): RequestHead | null {
  const method = query.get('method');
  if (method === null) return null;
  const target = query.get('path') ?? '/';
  const end = pathEnd(target);
  const authority = query.get('host') ?? query.get('destination') ?? '';
  return {
    method,
    authority,
    host: normalizeHost(authority),
    path: normalizePath(target.slice(0, end)),
    ambiguities: pathAmbiguities(target.slice(0, end)),
    query: target.slice(end + 1),
    header: (name) => query.get(`header.${name}`),
  };
}

function describe(snapshot: Snapshot, answer: WhyAnswer): object {
  const { destination, reason, backends, ...rest } = answer;
  return {
    destination: describeDestination(destination),
    ...rest,
    ...describeReason(reason),
    backends: backends.map(({ reason: own, endpoints, ...backend }) => ({
      ...backend,
      ...describeReason(own),
      endpoints: endpoints.map(({ candidate, ready, transport, verdict, audit }) => ({
        endpoint: candidate.key,
        workload: candidate.workloadUid,
        ...nameWorkload(snapshot, candidate.workloadUid),
        ready,
        ...describeTransport(transport),
        allowed: verdict.allowed,
        policy: verdict.policy?.key ?? null,
        ...describeReason(verdict.reason),
        audit,
      })),
    })),
  };
}

/** Empty where the endpoint is no workload of the mesh. */
function nameWorkload(snapshot: Snapshot, uid: string): { readonly name: string; readonly node: string } {
  const workload = snapshot.workloads.get(uid)?.workload;
  if (workload === undefined) return { name: '', node: '' };
  return { name: `${workload.namespace}/${workload.name}`, node: workload.node };
}

function describeTransport(answer: TransportAnswer): object {
  const { transport, cause, mode, sourcePhase, destinationPhase, identity, source } = answer;
  return {
    transport,
    cause,
    mode: mode ?? null,
    phases: { source: sourcePhase ?? null, destination: destinationPhase ?? null },
    identity,
    caller: source.spiffeId,
    authenticated: source.authenticated,
  };
}

function describeDestination(destination: WhyAnswer['destination']): object {
  switch (destination.kind) {
    case 'service':
      return { kind: 'service', service: destination.port.serviceKey, port: destination.port.port.port };
    case 'workload':
      return { kind: 'workload', workload: destination.view.workload.uid, port: destination.port };
    case 'unfetched':
      return { kind: 'unfetched', ...describeReason(Reason.detail_missing) };
    case 'passthrough':
      return { kind: 'passthrough' };
    case 'refused':
      return { kind: 'refused', ...describeReason(destination.reason) };
  }
}

function describeReason(code: number): object {
  const entry = reasonOf(code);
  return entry === undefined
    ? { reason: reasonName(code) }
    : {
        reason: entry.name,
        status: entry.status,
        grpc: entry.grpc,
        summary: entry.summary,
        hint: entry.hint,
      };
}
