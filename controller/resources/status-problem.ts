/** Gives problems of fields their place, and puts them into words. */
import type { ConditionReason, InForce, StatusProblem } from '../../model/status-problem.js';
import { type FieldPath, type FieldProblem, formatPath } from '../parse/field-problem.js';
import type { ManifestId } from '../parse/manifest.js';

export type { ConditionReason, InForce, StatusProblem };

/** Where something was written. */
export interface Place {
  readonly origin: string;
  readonly locate: (path: FieldPath) => number;
}

/** Gives a field problem its place. `id` is null where the document cannot be named. */
export function placeProblem(
  severity: StatusProblem['severity'],
  place: Place,
  id: ManifestId | null,
  problem: FieldProblem,
  inForce: InForce,
  reason?: ConditionReason,
): StatusProblem {
  return {
    severity,
    origin: place.origin,
    line: place.locate(problem.path),
    kind: id?.kind ?? '',
    namespace: id?.namespace ?? '',
    name: id?.name ?? '',
    field: formatPath(problem.path),
    value: problem.value,
    message: problem.message,
    fix: problem.fix,
    inForce,
    ...(reason === undefined ? {} : { reason }),
  };
}

const described = new WeakMap<StatusProblem, string>();

/** The same problem told twice has the same text. */
export function describeProblem(problem: StatusProblem): string {
  const known = described.get(problem);
  if (known !== undefined) return known;
  const text = describe(problem);
  described.set(problem, text);
  return text;
}

function describe(problem: StatusProblem): string {
  const { origin, line, kind, namespace, name, field, value, message, fix } = problem;
  const place = line > 0 ? `${origin}:${line}` : origin;
  const resource = kind === '' ? '' : ` ${kind} ${namespace === '' ? name : `${namespace}/${name}`}:`;
  const shown = /^([[{].*)?$/.test(value) ? value : JSON.stringify(value);
  const what = [field, shown, message].filter((part) => part !== '').join(' ');
  return `${place}:${resource} ${what}; fix: ${fix} (${explain(problem.inForce)})`;
}

function explain(inForce: InForce): string {
  switch (inForce) {
    case 'as-written':
      return 'in force as written';
    case 'last-good':
      return 'its last good version stays in force';
    case 'nothing':
      return 'not in force';
    case 'closed':
      return 'its targets are closed';
  }
}
