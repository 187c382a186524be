/** For tests: the contract between controller and agent as an older build speaks it, from its own description. */
import { loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { findProtoFile } from './find-proto-file.js';
import type { ConfigService } from './load-config-service.js';

/** Older messages lack what came later; the types are today's. */
export function loadOlderConfigService(): ConfigService {
  const file = findProtoFile('../../older/config.proto');
  const found = loadPackageDefinition(
    loadSync(file, { longs: Number, enums: String, defaults: true, oneofs: true }),
  ) as unknown as {
    weft: { v1: { ConfigService: ConfigService['Client'] & { service: ServiceDefinition } } };
  };
  const Client = found.weft.v1.ConfigService;
  return { definition: Client.service as unknown as ConfigService['definition'], Client };
}
