/** Problems and refusals as the text of a condition. */
import type { StatusProblem } from '../resources/status-problem.js';

/** A node's agent that refused a resource, and keeps the last good version of it. */
export interface NodeRefusal {
  readonly node: string;
  readonly field: string;
  readonly message: string;
}

/** So many of several problems are told; the controller's log and `weft status` have the rest. */
const mostTold = 5;

/** One line for each problem. */
export function tell(problems: readonly StatusProblem[]): string {
  return problems
    .slice(0, mostTold)
    .map(({ field, value, message, fix }) =>
      [field, value === '' ? '' : JSON.stringify(value), `${message}; fix: ${fix}`]
        .filter((part) => part !== '')
        .join(' '),
    )
    .join('\n');
}

/** One line for each refusal. */
export function describeRefusals(refusals: readonly NodeRefusal[]): string[] {
  return refusals
    .slice(0, mostTold)
    .map(({ node, field, message }) => `node ${node} refuses ${field}: ${message}`);
}
