/** A gRPC server for agents, without a listener. */
import { Server } from '@grpc/grpc-js';
import { maxMessageBytes } from '../../proto/load-config-service.js';
import type { AddedService } from './config-server.js';

/** `maxReceivedBytes` bounds each message that it takes. */
export function agentServer(services: readonly AddedService[], maxReceivedBytes = maxMessageBytes): Server {
  const server = new Server({
    'grpc.max_receive_message_length': maxReceivedBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  for (const { definition, handlers } of services) server.addService(definition, handlers);
  return server;
}
