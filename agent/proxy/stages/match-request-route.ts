/** Slot `route`: the rule that decides the request, and the service whose endpoints serve it. */
import { matchRoute } from '../../../model/match-route.js';
import { pickBackend } from '../../../model/pick-backend.js';
import { routesFor } from '../../../model/snapshot.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';
import { refuseRequest } from './answers.js';

/** Without routes the service's own endpoints serve; with routes and no match the answer is 404. */
export function matchRequestRoute(context: DecisionContext, request: RequestRecord): boolean {
  const service = request.service;
  if (service === null) return true;
  const connection = request.connection as ConnectionRecord;
  const table = routesFor(service, connection.source.namespace);
  if (table === null) {
    request.target = service;
    return true;
  }
  request.match = matchRoute(table, context.head);
  return request.match === null ? refuseRequest(context, request, Reason.no_matching_route) : true;
}

/** A rule that redirects needs no backend; one whose backend cannot be reached answers 500. */
export function pickRequestBackend(context: DecisionContext, request: RequestRecord): boolean {
  if (request.match === null || request.match.rule.redirect !== null) return true;
  const { rule } = request.match;
  const backend = pickBackend(rule, context.random());
  const use = backend === null ? null : context.backends.find(rule, backend, context.snapshot, context.nowMs);
  if (use === null) return refuseRequest(context, request, Reason.backend_invalid);
  request.backend = backend;
  request.use = use;
  request.target = use.port;
  request.traffic = use.traffic;
  return true;
}
