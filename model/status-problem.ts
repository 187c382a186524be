/** A problem as people and programs are told it: with file and line, and the resource that it is about. */

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
