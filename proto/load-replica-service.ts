/** Loads the gRPC contract between replicas of the controller from its .proto file. */
import { dirname } from 'node:path';
import {
  type ChannelCredentials,
  type ClientOptions,
  loadPackageDefinition,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { findProtoFile } from './find-proto-file.js';
import type { ReplicaServiceClient, ReplicaServiceDefinition } from './messages.js';

export interface ReplicaService {
  /** For `new Server().addService`. */
  readonly definition: ReplicaServiceDefinition;
  /** Made with an address in gRPC's own naming: `host:port`. */
  readonly Client: new (
    address: string,
    credentials: ChannelCredentials,
    options?: ClientOptions,
  ) => ReplicaServiceClient;
}

/** Reads replica.proto. Throws where the file is missing or does not hold the service: the installation is broken. */
export function loadReplicaService(): ReplicaService {
  const file = findProtoFile('replica.proto');
  const includeDirs = [dirname(dirname(dirname(file)))];
  const options = { longs: Number, enums: String, defaults: true, oneofs: true, includeDirs };
  const found = loadPackageDefinition(loadSync(file, options)) as unknown as {
    weft?: { v1?: { ReplicaService?: ReplicaService['Client'] & { service: ServiceDefinition } } };
  };
  const service = found.weft?.v1?.ReplicaService;
  if (service === undefined) throw new Error(`${file} holds no service weft.v1.ReplicaService`);
  return { definition: service.service as unknown as ReplicaServiceDefinition, Client: service };
}
