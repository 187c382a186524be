/** A problem as people and programs are told it: with file and line, and the resource that it is about. */
import { type FieldPath, type FieldProblem, formatPath } from '../parse/field-problem.js';
import type { ManifestId } from '../parse/manifest.js';

export interface StatusProblem {
  /** error: refused, something else is in force. warning: in force, but hardly what was meant. */
  readonly severity: 'error' | 'warning';
  /** File, or another name of where the source has it. */
  readonly origin: string;
  /** Counted from 1; 0 where there is none. */
  readonly line: number;
  /** Empty where the document cannot be named. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
  readonly value: string;
  readonly message: string;
  readonly fix: string;
  /** What is in force instead: the last good version, nothing, or a closed target. */
  readonly inForce: InForce;
  /** What an object's condition gives as its reason, where there is a standard one for it. */
  readonly reason?: ConditionReason;
}

/** Reasons of Gateway API's route conditions (RouteConditionReason), of policies' (GEP-713), and weft's own. */
export type ConditionReason =
  | 'BackendNotFound'
  | 'Conflicted'
  | 'HostNetwork'
  | 'InvalidKind'
  | 'NoMatchingParent'
  | 'ProtocolConflict'
  | 'RefNotPermitted'
  | 'Sandboxed'
  | 'TargetNotFound'
  | 'UnsupportedValue';

export type InForce = 'as-written' | 'last-good' | 'nothing' | 'closed';

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
