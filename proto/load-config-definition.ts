/** Reads how the contract's messages become bytes and back, without gRPC itself, which is slow to load. */
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { findProtoFile } from './find-proto-file.js';
import type { ConfigServiceDefinition } from './messages.js';

const serviceName = 'weft.v1.ConfigService';

/** Throws where config.proto is missing or does not hold the service: the installation is broken. */
export function loadConfigDefinition(): ConfigServiceDefinition {
  const service = loadConfigPackage()[serviceName];
  if (service === undefined) throw new Error(`config.proto holds no service ${serviceName}`);
  return service as unknown as ConfigServiceDefinition;
}

/** All of config.proto, as gRPC takes it. */
export function loadConfigPackage(): PackageDefinition {
  const file = findProtoFile('config.proto');
  return loadSync(file, { longs: Number, enums: String, defaults: true, oneofs: true });
}
