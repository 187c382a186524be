/** Whether an expression that somebody wrote can be used. */
import { compileRegex } from './compile-regex.js';
import { problem } from './problem.js';
import type { Problem } from './resource.js';

export function checkRegex(source: string, field: string): Problem[] {
  const compiled = compileRegex(source);
  if (!('message' in compiled)) return [];
  const fix = 'write an RE2 expression (no look-around, no back references)';
  return [problem(field, source, compiled.message, fix)];
}
