/** A gRPC server for agents, without a listener. */
import { Server } from '@grpc/grpc-js';
import { agentAnswerMs, keepaliveMs } from '../../proto/keepalive.js';
import { maxMessageBytes } from '../../proto/load-config-service.js';
import type { AddedService } from './config-server.js';

/** What one connection may take of the controller. */
export interface ConnectionBounds {
  /** Of each message that is received. */
  readonly messageBytes: number;
  /** Calls at the same time. */
  readonly calls: number;
}

/** A node's: a stream of configuration, one of bundles, and requests for certificates. */
const nodeBounds: ConnectionBounds = { messageBytes: maxMessageBytes, calls: 100 };

export function agentServer(services: readonly AddedService[], bounds = nodeBounds): Server {
  const server = new Server({
    'grpc.max_receive_message_length': bounds.messageBytes,
    'grpc.max_concurrent_streams': bounds.calls,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.keepalive_time_ms': keepaliveMs.time,
    'grpc.keepalive_timeout_ms': agentAnswerMs,
  });
  for (const { definition, handlers } of services) server.addService(definition, handlers);
  return server;
}
