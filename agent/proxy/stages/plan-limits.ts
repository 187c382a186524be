/** Slot `limits`: what the request may use. Connections, pending requests and bytes are bounded by the engine. */
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';

/** Bytes of a body that are kept so that it can be sent again, where the route asks for retries. */
const retryBufferBytes = 64 * 1024;

export function planLimits(context: DecisionContext, request: RequestRecord): boolean {
  const asked = request.match?.rule.retry.asked === true;
  if (asked && context.head.hasBody) request.bufferBytes = retryBufferBytes;
  return true;
}
