/** The configuration stream over gRPC. Loaded late: grpc-js is large, and traffic comes first. */
import { type ConfigService, maxMessageBytes } from '../../../proto/load-config-service.js';
import { explainDates } from '../identity/controller-clock.js';
import type { ConfigChannel } from './config-channel.js';
import type { ConfigStream, ConfigStreamHandlers } from './config-client.js';
import type { ControllerAccess } from './controller-access.js';
import { channelCredentials, channelOptions } from './controller-channel.js';

/** Until a connection with TLS is there. */
const connectMs = 5_000;

/**
 * Returns a function that opens a stream to the controller on a channel of its own: a channel kept after a failure would
 * wait by a backoff of its own before it tried again, and keep the certificate that it began with. `shared` has it for as
 * long as the stream is answered.
 */
export function configStreamOpener(
  { Client }: ConfigService,
  access: ControllerAccess,
  shared?: ConfigChannel,
): (handlers: ConfigStreamHandlers) => ConfigStream {
  return (handlers) => {
    const client = new Client(access.address, channelCredentials(access.tls()), {
      ...channelOptions,
      'grpc.max_receive_message_length': maxMessageBytes,
    });
    const channel = client.getChannel();
    const stream = client.Stream();
    let open = true;
    const close = (): void => {
      open = false;
      shared?.ended(channel);
      client.close();
    };
    const end = (error: Error | undefined): void => {
      if (!open) return;
      close();
      handlers.onEnd(error);
    };
    // Behind the address may be a replica that is dead and does not refuse; the next connection goes to another one.
    client.waitForReady(Date.now() + connectMs, (error) => {
      if (error && open) {
        stream.cancel();
        end(new Error('the controller did not answer', { cause: error }));
      }
    });
    stream.on('data', (delta) => {
      if (!open) return;
      shared?.answered(channel);
      handlers.onDelta(delta);
    });
    stream.on('error', (error: Error) => {
      const explained = explainDates(error.message, Date.now());
      end(explained === null ? error : new Error(explained, { cause: error }));
    });
    stream.on('end', () => end(undefined));
    return {
      send: (message) => void stream.write(message),
      cancel: () => {
        stream.cancel();
        close();
      },
    };
  };
}
