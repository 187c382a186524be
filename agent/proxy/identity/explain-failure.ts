/** What a failed call to the certificate authority means. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { reasonTrailer } from '../../../proto/load-identity-service.js';
import { explainDates } from './controller-clock.js';
import { IssueFailure } from './issue-failure.js';

/** An external signer may take half a minute. */
export const issueTimeoutMs = 40_000;

export function explainFailure(error: ServiceError): IssueFailure {
  const [reason] = error.metadata?.get(reasonTrailer) ?? [];
  if (reason !== undefined) return new IssueFailure(String(reason), error.details);
  const away = error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
  if (!away) return new IssueFailure('issuer_failed', error.details);
  const explained = explainDates(error.details, Date.now());
  return explained === null
    ? new IssueFailure('authority_unreachable', error.details)
    : new IssueFailure('clock_skew', explained);
}
