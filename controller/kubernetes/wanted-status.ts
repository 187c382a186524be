/** What the status of any object of the cluster shall say, from what the controller knows. Pure. */

import type { ConditionReason, StatusProblem } from '../resources/status-problem.js';
import { settleConditions, type WantedCondition } from './condition.js';
import { describeRefusals, type NodeRefusal, tell } from './describe-status.js';
import { routeStatus } from './route-status.js';
import { sameJson } from './same-json.js';
import type { StatusRecord } from './status-record.js';

/** How far the configuration has come. */
export interface Reach {
  readonly version: number;
  readonly nodes: number;
  readonly reachedNodes: number;
}

/** What the controller knows of one object. */
export interface StatusFacts {
  readonly problems: readonly StatusProblem[];
  readonly refusals: readonly NodeRefusal[];
  readonly reach: Reach;
}

/**
 * The status to apply; null where the object's status says so already.
 *
 * @param now RFC 3339 in whole seconds
 */
export function wantStatus(
  record: StatusRecord,
  facts: StatusFacts,
  now: string,
): Readonly<Record<string, unknown>> | null {
  const wanted = wantedStatus(record, facts, now);
  if (wanted === null) return null;
  const same = Object.entries(wanted).every(([name, value]) => sameJson(value, record.status[name] ?? []));
  return same ? null : wanted;
}

function wantedStatus(
  record: StatusRecord,
  { problems, refusals, reach }: StatusFacts,
  now: string,
): Readonly<Record<string, unknown>> | null {
  const settle = (wanted: readonly WantedCondition[], generation: number | null) => ({
    conditions: settleConditions(wanted, record.status.conditions, generation, now),
  });
  switch (record.type.kind) {
    case 'HTTPRoute':
    case 'GRPCRoute':
      return routeStatus(record, problems, refusals, now);
    case 'Mesh':
      return { ...settle(ownConditions(problems, refusals), record.generation), ...reach };
    case 'AuthorizationPolicy':
    case 'PeerAuthentication':
      return settle(ownConditions(problems, refusals), record.generation);
    case 'Pod':
      // By far the most objects, of which hardly one has a condition.
      if (problems.length === 0 && record.status.conditions === undefined) return null;
      return settle(podConditions(problems), null);
    case 'Service':
      return settle(serviceConditions(problems), record.generation);
    default:
      return null;
  }
}

/** Of weft's own kinds (GEP-713: Accepted). */
function ownConditions(
  problems: readonly StatusProblem[],
  refusals: readonly NodeRefusal[],
): WantedCondition[] {
  const refused = problems.filter(({ severity, reason }) => severity === 'error' || reason !== undefined);
  const accepted: WantedCondition =
    refused.length === 0
      ? { type: 'Accepted', status: 'True', reason: 'Accepted', message: tell(problems) }
      : {
          type: 'Accepted',
          status: 'False',
          reason: refused[0]?.reason ?? 'Invalid',
          message: `${tell(refused)}${consequence(refused)}`,
        };
  if (refusals.length === 0) return [accepted];
  const message = `Fall Back: ${describeRefusals(refusals).join('\n')}`;
  return [accepted, { type: 'PartiallyInvalid', status: 'True', reason: 'UnsupportedValue', message }];
}

function consequence(problems: readonly StatusProblem[]): string {
  if (problems.some(({ inForce }) => inForce === 'closed')) return '\nThe targets are closed until then.';
  if (problems.some(({ inForce }) => inForce === 'last-good')) {
    return '\nThe last good version stays in force until then.';
  }
  return '';
}

/** A pod that is meant to be in the mesh and cannot be. No other pod gets a condition. */
function podConditions(problems: readonly StatusProblem[]): WantedCondition[] {
  const reasons: readonly (ConditionReason | undefined)[] = ['HostNetwork', 'Sandboxed'];
  return withReason('weft.dev/Enrolled', 'False', problems, reasons);
}

function serviceConditions(problems: readonly StatusProblem[]): WantedCondition[] {
  return withReason('weft.dev/ProtocolConflict', 'True', problems, ['ProtocolConflict']);
}

/** One condition where a problem has one of these reasons, else none. */
function withReason(
  type: string,
  status: WantedCondition['status'],
  problems: readonly StatusProblem[],
  reasons: readonly (ConditionReason | undefined)[],
): WantedCondition[] {
  const found = problems.filter(({ reason }) => reasons.includes(reason));
  return found.length === 0 ? [] : [{ type, status, reason: found[0]?.reason ?? '', message: tell(found) }];
}
