/** Slot `limits`: what the request may use. Connections, pending requests and bytes are bounded by the engine. */
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';

/** Bytes of a body that are kept so that it can be sent again, where the route asks for retries … */
const retryBufferBytes = 64 * 1024;
/**
 * … and where it does not: small ones, so that an endpoint that cannot be reached costs no request. By HTTP/2 few say
 * how long they are, gRPC's calls never.
 */
const smallBodyBytes = 8 * 1024;

export function planLimits(context: DecisionContext, request: RequestRecord): boolean {
  const { head } = context;
  if (!head.hasBody || request.target === null) return true;
  if (request.match?.rule.retry.asked === true) request.bufferBytes = retryBufferBytes;
  else if (head.bodyBytes < 0 && head.http2) request.bufferBytes = smallBodyBytes;
  else if (head.bodyBytes >= 0 && head.bodyBytes <= smallBodyBytes) request.bufferBytes = head.bodyBytes;
  return true;
}
