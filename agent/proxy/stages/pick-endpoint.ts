/** Slot `endpoint`: the one address and port that takes the request or the connection. */
import { type Candidate, chooseEndpoint, endpointKey } from '../../../model/choose-endpoint.js';
import { countRequest } from '../../../model/retry-plan.js';
import { findStay } from '../../../model/session-affinity.js';
import type { ServicePortView } from '../../../model/snapshot.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { EndpointEntry } from '../worker/endpoint-table.js';
import type { RequestRecord } from '../worker/request-record.js';
import type { ServiceTraffic } from '../worker/service-traffic.js';
import { refuseRequest, resetConnection } from './answers.js';

export function pickConnectionEndpoint(context: DecisionContext, connection: ConnectionRecord): boolean {
  const { destination } = connection;
  switch (destination.kind) {
    case 'service': {
      connection.traffic = context.traffic.of(destination.port, context.nowMs);
      if (connection.tried.length === 0) countRequest(connection.traffic.budget, context.nowMs);
      connection.endpoint = choose(
        context,
        connection,
        destination.port,
        connection.traffic,
        connection.tried,
      );
      if (connection.endpoint === null) return resetConnection(connection, Reason.no_ready_endpoint);
      return true;
    }
    case 'workload':
    case 'passthrough':
    case 'refused':
    case 'unfetched':
      return true;
  }
}

export function pickRequestEndpoint(context: DecisionContext, request: RequestRecord): boolean {
  const connection = request.connection as ConnectionRecord;
  if (request.target !== null) {
    request.traffic ??= context.traffic.of(request.target, context.nowMs);
    context.traffic.touch(request.traffic, context.nowMs);
    request.endpoint = choose(context, connection, request.target, request.traffic, request.tried);
    if (request.endpoint === null) return refuseRequest(context, request, Reason.no_ready_endpoint);
  } else if (connection.destination.kind === 'workload') {
    request.endpoint = context.endpoints.entryOf(directCandidate(connection), context.nowMs);
  }
  return true;
}

function choose(
  context: DecisionContext,
  connection: ConnectionRecord,
  service: ServicePortView,
  state: ServiceTraffic,
  tried: readonly Candidate[],
): EndpointEntry | null {
  const { balancing, affinitySeconds } = service.service;
  const client = connection.local?.workload.uid ?? '';
  if (affinitySeconds > 0) return stayOrChoose(context, client, service, state, tried);
  const tiers = context.subsets.of(service.tiers, client, false);
  const chosen = chooseEndpoint(tiers, balancing, state, context.random(), context.nowMs, tried);
  return chosen === null ? null : context.endpoints.entryOf(chosen, context.nowMs);
}

/** A client that comes for the first time gets what it would get again from another proxy: its place is by its name. */
function stayOrChoose(
  context: DecisionContext,
  client: string,
  { tiers, service }: ServicePortView,
  state: ServiceTraffic,
  tried: readonly Candidate[],
): EndpointEntry | null {
  const { nowMs } = context;
  state.affinityMs = service.affinitySeconds * 1_000;
  const stay = state.stays.get(client);
  let chosen = findStay(tiers, stay, state.affinityMs, nowMs, tried);
  if (chosen === null) {
    // A retry must have somewhere else to go.
    const own = tried.length === 0 ? context.subsets.of(tiers, client, true) : tiers;
    chosen = chooseEndpoint(own, service.balancing, state, context.random(), nowMs, tried);
  }
  if (chosen === null) return null;
  if (stay === undefined) state.stays.set(client, { key: chosen.key, usedMs: nowMs });
  else {
    stay.key = chosen.key;
    stay.usedMs = nowMs;
  }
  return context.endpoints.entryOf(chosen, nowMs);
}

/** A workload's own address as an endpoint, so that its connections are pooled like others. */
export function directCandidate(connection: ConnectionRecord): Candidate {
  const { destination, destinationAddress: address, destinationPort: port } = connection;
  if (destination.kind !== 'workload') throw new Error('the destination is no workload');
  const { workload } = destination.view;
  if (connection.direct?.workloadUid !== workload.uid) {
    connection.direct = {
      key: endpointKey(address, port),
      address,
      port,
      workloadUid: workload.uid,
      zone: workload.locality.zone,
    };
  }
  return connection.direct;
}
