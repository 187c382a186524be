/** Collects what is wrong with one resource while it is read, so that all of it is told at once. */
import type { Problem } from '../model/resource.js';

const maxProblems = 50;
const maxValueLength = 120;

/** Grows while a resource is read; where it is not empty in the end, what was read must not be used. */
export class ProblemList {
  readonly problems: Problem[] = [];

  /** `value` is shown as text, shortened; `field` is a path such as `spec.rules[0].name`. */
  add(field: string, value: unknown, message: string, fix: string): void {
    if (this.problems.length < maxProblems) {
      this.problems.push({ field, value: showValue(value), message, fix });
    }
  }

  get empty(): boolean {
    return this.problems.length === 0;
  }
}

/** A value as short text: strings as they are, all else as JSON. */
export function showValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length <= maxValueLength ? text : `${text.slice(0, maxValueLength - 1)}…`;
}
