/** Loads the gRPC contract between agent and certificate authority from its .proto file. */
import {
  type ChannelCredentials,
  type ClientOptions,
  loadPackageDefinition,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { findProtoFile } from './find-proto-file.js';
import type { IdentityServiceClient, IdentityServiceDefinition } from './messages.js';

/** The trailer that names why a request was refused, as the registry of reasons does. */
export const reasonTrailer = 'weft-reason';

/** The longest certificate request that an agent sends and an authority reads, in bytes. */
export const maxRequestBytes = 4096;

export interface IdentityService {
  /** For `new Server().addService`. */
  readonly definition: IdentityServiceDefinition;
  /** Made with an address in gRPC's own naming: `unix:/path` or `host:port`. */
  readonly Client: new (
    address: string,
    credentials: ChannelCredentials,
    options?: ClientOptions,
  ) => IdentityServiceClient;
}

/** Reads identity.proto. Throws where the file is missing or does not hold the service: the installation is broken. */
export function loadIdentityService(): IdentityService {
  const file = findProtoFile('identity.proto');
  const definition = loadSync(file, { longs: Number, enums: String, defaults: true, oneofs: true });
  const found = loadPackageDefinition(definition) as unknown as {
    weft?: { v1?: { IdentityService?: IdentityService['Client'] & { service: ServiceDefinition } } };
  };
  const service = found.weft?.v1?.IdentityService;
  if (service === undefined) throw new Error(`${file} holds no service weft.v1.IdentityService`);
  return { definition: service.service as unknown as IdentityServiceDefinition, Client: service };
}
