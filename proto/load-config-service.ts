/** Loads the gRPC contract between controller and agent from its .proto file. */
import {
  type ChannelCredentials,
  type ClientOptions,
  loadPackageDefinition,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadConfigPackage } from './load-config-definition.js';
import type { ConfigServiceClient, ConfigServiceDefinition } from './messages.js';

/** Version of the contract that this build speaks (Hello.protocol). */
export const configProtocol = 1;

/** The largest gRPC message that either side sends or accepts, in bytes. */
export const maxMessageBytes = 64 * 1024 * 1024;

export interface ConfigService {
  /** For `new Server().addService`. */
  readonly definition: ConfigServiceDefinition;
  /** Made with an address in gRPC's own naming: `unix:/path` or `host:port`. */
  readonly Client: new (
    address: string,
    credentials: ChannelCredentials,
    options?: ClientOptions,
  ) => ConfigServiceClient;
}

/** Reads config.proto. Throws where the file is missing or does not hold the service: the installation is broken. */
export function loadConfigService(): ConfigService {
  const found = loadPackageDefinition(loadConfigPackage()) as unknown as {
    weft?: { v1?: { ConfigService?: ConfigService['Client'] & { service: ServiceDefinition } } };
  };
  const service = found.weft?.v1?.ConfigService;
  if (service === undefined) throw new Error('config.proto holds no service weft.v1.ConfigService');
  return { definition: service.service as unknown as ConfigServiceDefinition, Client: service };
}
