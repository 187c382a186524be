/** What the status of an HTTPRoute or GRPCRoute says of its parents of kind Service (Gateway API, GEP-1294, GEP-1364). */
import type { StatusProblem } from '../resources/status-problem.js';
import { asList, asRecord } from './api-object.js';
import { settleConditions, type WantedCondition } from './condition.js';
import { describeRefusals, type NodeRefusal, tell } from './describe-status.js';
import type { StatusRecord } from './status-record.js';

/** Who wrote a parent's status. */
export const controllerName = 'weft.dev/controller';

/**
 * The whole list of parents, because the API replaces it as a whole: other controllers' entries as they are, then ours.
 * null where neither the route nor its status has to do with a Service.
 */
export function routeStatus(
  record: StatusRecord,
  problems: readonly StatusProblem[],
  refusals: readonly NodeRefusal[],
  now: string,
): { readonly parents: readonly unknown[] } | null {
  const current = asList(record.status.parents).map(asRecord);
  const others = current.filter((entry) => entry !== null && entry.controllerName !== controllerName);
  const refs = record.parentRefs.map(asRecord).map((ref, place) => ({ ref, place }));
  const ours = refs.flatMap(({ ref, place }) => {
    if (ref === null || ref.kind !== 'Service' || (ref.group ?? '') !== '') return [];
    const parentRef = pickRef(ref);
    const text = JSON.stringify(parentRef);
    const before = current.find(
      (entry) =>
        entry?.controllerName === controllerName &&
        JSON.stringify(pickRef(asRecord(entry.parentRef) ?? {})) === text,
    );
    const wanted = parentConditions(place, problems, refusals);
    const conditions = settleConditions(wanted, before?.conditions, record.generation, now);
    return [{ parentRef, controllerName, conditions }];
  });
  if (ours.length === 0 && others.length === current.length) return null;
  return { parents: [...others, ...ours] };
}

/** A reference's fields in one order. */
function pickRef(ref: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = ['group', 'kind', 'namespace', 'name', 'sectionName', 'port'];
  return Object.fromEntries(names.flatMap((name) => (ref[name] === undefined ? [] : [[name, ref[name]]])));
}

/** @param place of the parent in `spec.parentRefs` */
function parentConditions(
  place: number,
  problems: readonly StatusProblem[],
  refusals: readonly NodeRefusal[],
): WantedCondition[] {
  const unread = problems.filter(({ severity, reason }) => severity === 'error' && reason === undefined);
  if (unread.some(({ inForce }) => inForce === 'nothing')) {
    const message = tell(unread);
    return [
      { type: 'Accepted', status: 'False', reason: 'UnsupportedValue', message },
      { type: 'ResolvedRefs', status: 'Unknown', reason: 'Pending', message: 'the route could not be read' },
    ];
  }
  const field = `spec.parentRefs[${place}]`;
  const atParent = problems.filter(
    (problem) => problem.field === field || problem.field.startsWith(`${field}.`),
  );
  const ofAll = problems.filter(
    (problem) => problem.field === 'spec.parentRefs' && problem.reason !== undefined,
  );
  const conditions = [accepted([...atParent, ...ofAll]), resolved(problems)];
  const fallBack = [...unread.map((problem) => tell([problem])), ...describeRefusals(refusals)];
  if (fallBack.length === 0) return conditions;
  // Gateway API: the message begins so where the last good version stays in force.
  const message = `Fall Back: ${fallBack.slice(0, 5).join('\n')}`;
  return [...conditions, { type: 'PartiallyInvalid', status: 'True', reason: 'UnsupportedValue', message }];
}

function accepted(problems: readonly StatusProblem[]): WantedCondition {
  const type = 'Accepted';
  const [first] = problems;
  if (first === undefined) return { type, status: 'True', reason: 'Accepted', message: '' };
  return { type, status: 'False', reason: first.reason ?? 'UnsupportedValue', message: tell(problems) };
}

function resolved(problems: readonly StatusProblem[]): WantedCondition {
  const type = 'ResolvedRefs';
  const broken = problems.filter(({ field }) => /^spec\.rules\[\d+\]\.backendRefs\[\d+\]/.test(field));
  const [first] = broken.filter(({ reason }) => reason !== undefined);
  if (first === undefined) return { type, status: 'True', reason: 'ResolvedRefs', message: '' };
  return { type, status: 'False', reason: first.reason ?? 'BackendNotFound', message: tell(broken) };
}
