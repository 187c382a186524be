/**
 * What arrives for a captured workload, from other agents or from outside the mesh. A connection is decided when it is
 * accepted, and again when its TLS handshake is done or turned out not to come; where it carries HTTP or gRPC, each of its
 * requests is decided as well. Read from top to bottom: each line fills one slot, or answers and ends the way. An
 * extension is one more line.
 *
 * The endpoint is always the original destination: the application itself, which sees its real client.
 */
import { acceptPlaintext, acceptTransport, fitProtocol, provePeer } from './stages/accept-transport.js';
import { tunnelConnection } from './stages/answers.js';
import { authorizeInboundConnection, authorizeInboundRequest } from './stages/authorize.js';
import { findInboundConnection, findInboundRequest, readInboundRequests } from './stages/find-inbound.js';
import { forwardRequest } from './stages/forward-request.js';
import { passNormalPath } from './stages/pass-normal-path.js';
import { passTrace } from './stages/pass-trace.js';
import { planInboundResilience } from './stages/plan-resilience.js';
import type { ConnectionRecord } from './worker/connection-record.js';
import type { Pipeline } from './worker/pipeline.js';
import type { RequestRecord } from './worker/request-record.js';

export const inboundConnection: Pipeline<ConnectionRecord> = [
  // Whose listener it is, who calls, which protocol the port declares, which policies protect it.
  ['destination', findInboundConnection],
  // What must or may be TLS ends here, and comes back below.
  ['transport', acceptTransport],
  // What speaks of connections; on an opaque port everything.
  ['authorization', authorizeInboundConnection],
  // HTTP ends here: its requests go the way below. The rest are opaque bytes.
  ['requests', readInboundRequests],
  ['verdict', (_, connection) => tunnelConnection(connection)],
];

/** Its TLS handshake is done. */
export const securedConnection: Pipeline<ConnectionRecord> = [
  // Again, where the configuration changed during the handshake.
  ['destination', findInboundConnection],
  // The workload that has the caller's address, and nobody else.
  ['peer', provePeer],
  ['protocol', fitProtocol],
  ['authorization', authorizeInboundConnection],
  ['requests', readInboundRequests],
  ['verdict', (_, connection) => tunnelConnection(connection)],
];

/** No TLS came. */
export const sniffedConnection: Pipeline<ConnectionRecord> = [
  ['destination', findInboundConnection],
  ['transport', acceptPlaintext],
  // What speaks of connections; on an opaque port everything.
  ['authorization', authorizeInboundConnection],
  // HTTP ends here: its requests go the way below. The rest are opaque bytes.
  ['requests', readInboundRequests],
  ['verdict', (_, connection) => tunnelConnection(connection)],
];

export const inboundRequest: Pipeline<RequestRecord> = [
  // Again, where the configuration changed since the connection came.
  ['destination', findInboundRequest],
  ['authorization', authorizeInboundRequest],
  // The spelling that was judged, where a policy read the path.
  ['path', passNormalPath],
  ['resilience', planInboundResilience],
  ['trace', passTrace],
  ['verdict', forwardRequest],
];
