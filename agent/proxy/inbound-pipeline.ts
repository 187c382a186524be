/**
 * What arrives for a captured workload, from other agents or from outside the mesh. A connection is decided when it is
 * accepted; where it carries HTTP/1.1, each of its requests is decided as well. Read from top to bottom: each line
 * fills one slot, or answers and ends the way. An extension is one more line.
 *
 * The endpoint is always the original destination: the application itself, which sees its real client.
 */
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
  // What speaks of connections; on an opaque port everything.
  ['authorization', authorizeInboundConnection],
  // HTTP ends here: its requests go the way below. The rest are opaque bytes.
  ['protocol', readInboundRequests],
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
