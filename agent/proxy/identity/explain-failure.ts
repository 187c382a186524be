/** What a failed call to the certificate authority means. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { reasonTrailer } from '../../../proto/load-identity-service.js';
import { IssueFailure } from './issue-failure.js';

/** An external signer may take half a minute. */
export const issueTimeoutMs = 40_000;

export function explainFailure(error: ServiceError): IssueFailure {
  const [reason] = error.metadata?.get(reasonTrailer) ?? [];
  if (reason !== undefined) return new IssueFailure(String(reason), error.details);
  const away = error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
  return new IssueFailure(away ? 'authority_unreachable' : 'issuer_failed', error.details);
}
