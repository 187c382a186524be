/** The way from a replica to the holder of the lease: one stream, over TLS on which both ends prove to be controllers. */
import { createSecureContext, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { controllerSpiffeId } from '../../model/system-identity.js';
import { keepaliveMs } from '../../proto/keepalive.js';
import { maxMessageBytes } from '../../proto/load-config-service.js';
import { loadReplicaService } from '../../proto/load-replica-service.js';
import type { ReceivedHolderMessage, ReplicaWireMessage } from '../../proto/messages.js';
import type { ServerIdentity } from '../authority/controller-certificate.js';

/** A holder that does not answer within this time is tried again later. */
const connectMs = 3000;

export interface HolderLinkOptions {
  /** `host:port`. */
  readonly address: string;
  readonly identity: ServerIdentity;
  readonly trustDomain: string;
  /** The connection is there; messages may be sent. */
  readonly onOpen: (send: (message: ReplicaWireMessage) => void) => void;
  /** An error that is thrown here ends the link. */
  readonly onMessage: (message: ReceivedHolderMessage) => void;
  /** Once, unless it was closed. */
  readonly onEnd: (error: unknown) => void;
}

export class HolderLink {
  readonly address: string;
  readonly #close: () => void;

  constructor({ address, identity, trustDomain, onOpen, onMessage, onEnd }: HolderLinkOptions) {
    this.address = address;
    const { Client } = loadReplicaService();
    const client = new Client(address, channelCredentials(identity, trustDomain), {
      'grpc.keepalive_time_ms': keepaliveMs.time,
      'grpc.keepalive_timeout_ms': keepaliveMs.timeout,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.ssl_target_name_override': 'controller',
    });
    let open = true;
    const end = (error: unknown) => {
      if (!open) return;
      open = false;
      client.close();
      onEnd(error);
    };
    this.#close = () => {
      open = false;
      client.close();
    };
    // A connection that fails tells why by the stream; one that hangs, by the deadline.
    const stream = client.relay();
    stream.on('data', (message: ReceivedHolderMessage) => {
      try {
        if (open) onMessage(message);
      } catch (cause) {
        end(cause);
      }
    });
    stream.on('error', end);
    stream.on('end', () => end(new Error('the holder has ended the stream')));
    client.waitForReady(Date.now() + connectMs, (error) => {
      if (error) {
        end(error);
        return;
      }
      const send = (message: ReplicaWireMessage) => {
        if (open) stream.write(message);
      };
      if (open) onOpen(send);
    });
  }

  close(): void {
    this.#close();
  }
}

function channelCredentials({ key, cert, ca }: ServerIdentity, trustDomain: string): ChannelCredentials {
  const context = createSecureContext({ key, cert, ca, minVersion: 'TLSv1.3' });
  const wanted = `URI:${controllerSpiffeId(trustDomain)}`;
  return credentials.createFromSecureContext(context, {
    checkServerIdentity: (_host: string, { subjectaltname = 'no name' }: PeerCertificate) =>
      subjectaltname === wanted
        ? undefined
        : new Error(
            `the server at the holder's address proves ${subjectaltname.slice(0, 200)}, not ${wanted}`,
          ),
  });
}
