/** A refusal as gRPC tells it: its name travels in a trailer. */
import { Metadata, status } from '@grpc/grpc-js';
import { reasonTrailer } from '../../proto/load-identity-service.js';
import { reasons } from '../../reasons/reasons.js';
import type { Refused } from './refusal.js';

export function statusOf({ reason, message }: Refused) {
  const entry = reasons.find(({ name }) => name === reason);
  const metadata = new Metadata();
  metadata.set(reasonTrailer, reason);
  return { code: status[(entry?.grpc || 'UNKNOWN') as keyof typeof status], details: message, metadata };
}
