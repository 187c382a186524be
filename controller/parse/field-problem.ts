/** What is wrong with a field of a document, before file and line are known. */
import type { Problem } from '../../model/resource.js';
import { showValue } from '../../proto/problem-list.js';

/** Object keys and list indexes from the document's root. */
export type FieldPath = readonly (string | number)[];

export interface FieldProblem {
  readonly path: FieldPath;
  /** The offending value as short text. */
  readonly value: string;
  readonly message: string;
  readonly fix: string;
}

/** `spec.rules[0].name`; keys that are no plain names are quoted: `metadata.labels["app.kubernetes.io/name"]`. */
export function formatPath(path: FieldPath): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(segment)) text += text === '' ? segment : `.${segment}`;
    else text += `[${JSON.stringify(segment)}]`;
  }
  return text;
}

/** Makes a field problem; `value` may be anything. */
export function fieldProblem(path: FieldPath, value: unknown, message: string, fix: string): FieldProblem {
  return { path, value: showValue(value), message, fix };
}

/** The model's form of a field problem. */
export function toProblem({ path, value, message, fix }: FieldProblem): Problem {
  return { field: formatPath(path), value, message, fix };
}
