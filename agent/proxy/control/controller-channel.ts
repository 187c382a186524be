/** Credentials of gRPC channels to the controller. Loaded late: grpc-js is large, and traffic comes first. */
import { createSecureContext, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { keepaliveMs } from '../../../proto/keepalive.js';
import type { ControllerTls } from './controller-access.js';

/** TLS 1.3 with the node's certificate, towards a server that proves to be the mesh's controller; null: a socket. */
export function channelCredentials(tls: ControllerTls | null): ChannelCredentials {
  if (tls === null) return credentials.createInsecure();
  const { key, cert, ca, controllerId } = tls;
  const context = createSecureContext({ ca, minVersion: 'TLSv1.3', ...(key === '' ? {} : { key, cert }) });
  return credentials.createFromSecureContext(context, {
    checkServerIdentity: (_host, certificate) => findServerProblem(certificate, controllerId),
  });
}

/** What channels of both kinds have in common. */
export const channelOptions: ChannelOptions = {
  'grpc.keepalive_time_ms': keepaliveMs.time,
  'grpc.keepalive_timeout_ms': keepaliveMs.timeout,
  'grpc.use_local_subchannel_pool': 1,
  // The controller proves a SPIFFE id, not a host's name; an address may not be sent as one (RFC 6066, section 3).
  'grpc.ssl_target_name_override': 'controller',
};

function findServerProblem(certificate: PeerCertificate, controllerId: string): Error | undefined {
  const name = certificate.subjectaltname ?? 'no name';
  if (name === `URI:${controllerId}`) return undefined;
  return new Error(
    `the server at the controller's address proves ${name.slice(0, 200)}, not ${controllerId}`,
  );
}
