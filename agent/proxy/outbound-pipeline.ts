/**
 * What a captured application sends. A connection is decided when it is accepted; where it carries HTTP or gRPC, each of
 * its requests is decided as well. Read from top to bottom: each line fills one slot, or answers and ends the way.
 * An extension is one more line.
 */
import { tunnelConnection } from './stages/answers.js';
import { applyFilters } from './stages/apply-filters.js';
import { authorizeOutboundConnection, authorizeOutboundRequest } from './stages/authorize.js';
import { findConnectionDestination, findRequestDestination } from './stages/find-destination.js';
import { forwardRequest } from './stages/forward-request.js';
import { matchRequestRoute, pickRequestBackend } from './stages/match-request-route.js';
import { passTrace } from './stages/pass-trace.js';
import { pickConnectionEndpoint, pickRequestEndpoint } from './stages/pick-endpoint.js';
import { pickConnectionTransport, pickRequestTransport } from './stages/pick-transport.js';
import { planLimits } from './stages/plan-limits.js';
import { planResilience } from './stages/plan-resilience.js';
import { checkMethod, readProtocol } from './stages/read-protocol.js';
import type { ConnectionRecord } from './worker/connection-record.js';
import type { Pipeline } from './worker/pipeline.js';
import type { RequestRecord } from './worker/request-record.js';

export const outboundConnection: Pipeline<ConnectionRecord> = [
  // The address and port that the application asked for: a service, a workload, or somewhere outside. Else: held.
  ['destination', findConnectionDestination],
  // HTTP ends here: its requests go the way below. The rest are opaque bytes.
  ['protocol', readProtocol],
  ['endpoint', pickConnectionEndpoint],
  // TLS with the identities of both ends, where both have one.
  ['transport', pickConnectionTransport],
  // A destination with an agent of its own is judged there, not twice.
  ['authorization', authorizeOutboundConnection],
  ['verdict', (_, connection) => tunnelConnection(connection)],
];

export const outboundRequest: Pipeline<RequestRecord> = [
  // Again, where the configuration changed since the connection came.
  ['destination', findRequestDestination],
  ['protocol', checkMethod],
  // The rule that decides: no route attached is the service itself, no match is 404.
  ['route', matchRequestRoute],
  ['backend', pickRequestBackend],
  // Header edits and rewrite; a redirect is answered here.
  ['filters', applyFilters],
  ['limits', planLimits],
  ['endpoint', pickRequestEndpoint],
  ['transport', pickRequestTransport],
  ['authorization', authorizeOutboundRequest],
  // Deadlines, retries and their budget.
  ['resilience', planResilience],
  ['trace', passTrace],
  ['verdict', forwardRequest],
];
