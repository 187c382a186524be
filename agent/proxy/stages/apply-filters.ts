/** Slot `filters`: header edits, rewrite, redirect. */
import { redirectLocation, rewriteTarget } from '../../../model/edit-url.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import type { RequestRecord } from '../worker/request-record.js';

/** A redirect is answered here; everything else is noted for the forwarded request. */
export function applyFilters(context: DecisionContext, request: RequestRecord): boolean {
  if (request.match === null) return true;
  if (request.match.rule.redirect !== null) return redirect(context, request);
  if (request.backend === null) return true;
  request.filters = request.backend.filters;
  const effects = context.effects.filtersOf(request.match.rule, request.filters);
  request.requestEdit = effects.requestEdit;
  request.responseEdit = effects.responseEdit;
  const { rewrite } = request.filters;
  if (rewrite === null) return true;
  if (rewrite.path !== undefined) {
    context.verdict.target(rewriteTarget(rewrite, context.head, request.match.prefixLength));
  }
  if (rewrite.hostname !== undefined) context.verdict.host(rewrite.hostname);
  return true;
}

function redirect(context: DecisionContext, request: RequestRecord): false {
  const { head, verdict } = context;
  const match = request.match;
  if (match === null || match.rule.redirect === null) throw new Error('the rule has no redirect');
  const url = {
    scheme: 'http',
    host: head.host,
    port: (request.connection as ConnectionRecord).destinationPort,
    path: head.path,
    query: head.query,
  } as const;
  verdict.headerLine('location', redirectLocation(match.rule.redirect, url, match.prefixLength));
  verdict.reply(request.tag, context.effects.redirectOf(match.rule), Reason.none);
  return false;
}
