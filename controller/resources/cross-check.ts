/** Problems that show only when manifests are seen together. */
import { type FieldPath, fieldProblem } from '../parse/field-problem.js';
import type { Manifest } from '../parse/manifest.js';
import type { StoredManifest } from './manifest-store.js';
import { type ConditionReason, type InForce, placeProblem, type StatusProblem } from './status-problem.js';

/** A stored manifest of a known kind. */
export type Stored<Kind extends Manifest> = Omit<StoredManifest, 'manifest'> & { readonly manifest: Kind };

/** Collects problems that show only between manifests. */
export class CrossCheck {
  readonly problems: StatusProblem[] = [];

  /** Part of the manifest is not in force as written. */
  error(
    stored: Omit<StoredManifest, 'manifest'> & { readonly manifest: Manifest },
    path: FieldPath,
    value: unknown,
    message: string,
    fix: string,
    inForce: InForce = 'nothing',
    reason?: ConditionReason,
  ): void {
    const problem = fieldProblem(path, value, message, fix);
    this.problems.push(placeProblem('error', stored, stored.manifest.id, problem, inForce, reason));
  }

  /** In force as written, but hardly what was meant. */
  warning(
    stored: Omit<StoredManifest, 'manifest'> & { readonly manifest: Manifest },
    path: FieldPath,
    value: unknown,
    message: string,
    fix: string,
    reason?: ConditionReason,
  ): void {
    const problem = fieldProblem(path, value, message, fix);
    this.problems.push(placeProblem('warning', stored, stored.manifest.id, problem, 'as-written', reason));
  }
}
