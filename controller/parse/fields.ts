/**
 * Reads one object of unknown shape, field by field. Every read either gives a value of the asked type or adds a
 * problem; `finish` adds one for each field that nobody asked for, so a misspelt field is never silently ignored.
 * null counts as absent, as in Kubernetes.
 */
import { type FieldPath, type FieldProblem, fieldProblem } from './field-problem.js';

/** What a text must look like. `describe` completes the sentence "must be …". */
export interface TextRule {
  readonly pattern: RegExp;
  readonly most: number;
  readonly describe: string;
}

export class Fields {
  readonly path: FieldPath;
  readonly problems: FieldProblem[];
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  constructor(value: Readonly<Record<string, unknown>>, path: FieldPath, problems: FieldProblem[]) {
    this.#value = value;
    this.path = path;
    this.problems = problems;
  }

  /** The value of a field, undefined where it is absent or null. Counts as asked for. */
  raw(name: string): unknown {
    this.#known.add(name);
    return Object.hasOwn(this.#value, name) ? (this.#value[name] ?? undefined) : undefined;
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  /** Adds a problem about one of this object's fields. */
  problem(name: string, message: string, fix: string): void {
    this.problems.push(fieldProblem([...this.path, name], this.raw(name) ?? '', message, fix));
  }

  text(name: string, rule?: TextRule): string | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : checkText(value, rule, [...this.path, name], this.problems);
  }

  requiredText(name: string, rule?: TextRule): string | undefined {
    if (!this.has(name)) {
      this.problem(name, 'is missing', rule === undefined ? 'add it' : `add it: ${rule.describe}`);
      return undefined;
    }
    return this.text(name, rule);
  }

  oneOf<const Name extends string>(name: string, names: readonly Name[]): Name | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const found = names.find((candidate) => candidate === value);
    if (found === undefined) this.problem(name, 'is not a known value', `use one of ${names.join(', ')}`);
    return found;
  }

  number(name: string, least: number, most: number): number | undefined {
    const value = this.raw(name);
    return value === undefined
      ? undefined
      : checkNumber(value, least, most, [...this.path, name], this.problems);
  }

  flag(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'boolean') return value;
    this.problem(name, 'is not a boolean', 'write true or false without quotes');
    return undefined;
  }

  object(name: string): Fields | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : readObject(value, [...this.path, name], this.problems);
  }

  /** The objects of a list; what is no object is a problem and left out. Absent is empty. */
  objects(name: string, most: number): Fields[] {
    return this.#items(name, most).flatMap((item, index) => {
      const fields = readObject(item, [...this.path, name, index], this.problems);
      return fields === undefined ? [] : [fields];
    });
  }

  texts(name: string, most: number, rule?: TextRule): string[] {
    return this.#items(name, most).flatMap((item, index) => {
      const text = checkText(item, rule, [...this.path, name, index], this.problems);
      return text === undefined ? [] : [text];
    });
  }

  numbers(name: string, most: number, lower: number, upper: number): number[] {
    return this.#items(name, most).flatMap((item, index) => {
      const number = checkNumber(item, lower, upper, [...this.path, name, index], this.problems);
      return number === undefined ? [] : [number];
    });
  }

  /** A map of text to text, such as labels. Absent is empty. */
  textMap(name: string): Record<string, string> {
    const fields = this.object(name);
    return Object.fromEntries(
      (fields?.names() ?? []).flatMap((key) => {
        const value = fields?.text(key);
        return value === undefined ? [] : [[key, value]];
      }),
    );
  }

  names(): string[] {
    return Object.keys(this.#value);
  }

  /** Counts fields as known that are right to be there and that weft does not read. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#known.add(name);
  }

  /** Adds a problem for every field that was never asked for. */
  finish(): void {
    for (const name of this.names()) {
      if (this.#known.has(name)) continue;
      const near = [...this.#known].find((known) => isNear(known, name));
      this.problem(
        name,
        'is not a known field',
        near === undefined ? 'remove it, or check where it belongs' : `did you mean ${near}?`,
      );
    }
  }

  #items(name: string, most: number): unknown[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.problem(name, 'is not a list', 'begin each entry with "- "');
      return [];
    }
    if (value.length > most) {
      this.problem(name, `has ${value.length} entries, at most ${most} are allowed`, 'split it up');
      return [];
    }
    return value;
  }
}

/** An object's fields, or undefined and a problem. */
export function readObject(value: unknown, path: FieldPath, problems: FieldProblem[]): Fields | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return new Fields(value as Record<string, unknown>, path, problems);
  }
  problems.push(fieldProblem(path, value ?? 'null', 'is not an object', 'write fields as "name: value"'));
  return undefined;
}

function checkText(
  value: unknown,
  rule: TextRule | undefined,
  path: FieldPath,
  problems: FieldProblem[],
): string | undefined {
  if (typeof value !== 'string') {
    problems.push(fieldProblem(path, value ?? 'null', 'is not text', 'put it in quotes'));
    return undefined;
  }
  if (rule !== undefined && (value.length > rule.most || !rule.pattern.test(value))) {
    const message = value.length > rule.most ? `is longer than ${rule.most} characters` : 'is malformed';
    problems.push(fieldProblem(path, value, message, `must be ${rule.describe}`));
    return undefined;
  }
  return value;
}

function checkNumber(
  value: unknown,
  least: number,
  most: number,
  path: FieldPath,
  problems: FieldProblem[],
): number | undefined {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  const fix = `write a whole number from ${least} to ${most} without quotes`;
  problems.push(fieldProblem(path, value ?? 'null', 'is no whole number in range', fix));
  return undefined;
}

/** Whether two names differ by letter case or by one edit (a letter added, left out, changed or swapped). */
function isNear(left: string, right: string): boolean {
  const [a, b] = [left.toLowerCase(), right.toLowerCase()];
  if (a === b) return true;
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const [restA, restB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (restA.length <= 1 && restB.length <= 1) return true;
  return restA.length === 2 && restA[0] === restB[1] && restA[1] === restB[0];
}
