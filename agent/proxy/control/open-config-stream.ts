/** The configuration stream over gRPC. Loaded late: grpc-js is large, and traffic comes first. */
import { credentials } from '@grpc/grpc-js';
import { type ConfigService, maxMessageBytes } from '../../../proto/load-config-service.js';
import type { ConfigStream, ConfigStreamHandlers } from './config-client.js';

/**
 * Returns a function that opens a stream to `address` (`unix:PATH` or `host:port`) on a channel of its own: a channel
 * kept after a failure would wait by a backoff of its own before it tried again.
 */
export function configStreamOpener(
  { Client }: ConfigService,
  address: string,
): (handlers: ConfigStreamHandlers) => ConfigStream {
  return (handlers) => {
    const client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.use_local_subchannel_pool': 1,
    });
    const stream = client.Stream();
    let open = true;
    const end = (error: Error | undefined): void => {
      if (!open) return;
      open = false;
      client.close();
      handlers.onEnd(error);
    };
    stream.on('data', (delta) => {
      if (open) handlers.onDelta(delta);
    });
    stream.on('error', end);
    stream.on('end', () => end(undefined));
    return {
      send: (message) => void stream.write(message),
      cancel: () => {
        open = false;
        stream.cancel();
        client.close();
      },
    };
  };
}
