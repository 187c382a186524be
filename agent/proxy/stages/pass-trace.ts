/** Slot `trace`: W3C trace context is passed on as it came, and started where there is none. */
import { readTraceId, startTrace } from '../telemetry/trace-context.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';

/** One that is not valid is passed on too: its reader starts anew (W3C Trace Context section 4.2). */
export function passTrace(context: DecisionContext, request: RequestRecord): boolean {
  const sent = context.head.header('traceparent');
  if (sent !== null) {
    if (context.logging) request.traceId = readTraceId(sent);
    return true;
  }
  if (!request.traceStarted) {
    startTrace(request.traceIds, context.fillRandom);
    request.traceStarted = true;
  }
  const line = context.verdict.traceLine(request.traceIds);
  if (context.logging) request.traceId = context.verdict.traceIdAt(line);
  return true;
}
