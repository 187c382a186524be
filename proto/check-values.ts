/**
 * Checks of single received values. Each returns a value of the right type always and adds a problem where the
 * received one was not: what was read is used only while the list is empty.
 */
import { parseAddress } from '../model/address.js';
import type { ProblemList } from './problem-list.js';

/** One of a closed set of names. */
export function checkName<const Name extends string>(
  problems: ProblemList,
  field: string,
  value: string,
  names: readonly [Name, ...Name[]],
): Name {
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  problems.add(
    field,
    value,
    `must be one of ${names.join(', ')}`,
    'are agent and controller of like version?',
  );
  return names[0];
}

/** A string that must not be empty. */
export function checkText(problems: ProblemList, field: string, value: string): string {
  if (value === '') problems.add(field, value, 'is missing', 'send it');
  return value;
}

/** An address; the canonical text is returned. */
export function checkAddress(problems: ProblemList, field: string, value: string): string {
  const address = parseAddress(value);
  if (address === null) problems.add(field, value, 'is not an IP address', 'send IPv4 or IPv6 text');
  return address ?? value;
}

/** A TCP port, 1 to 65535. */
export function checkPort(problems: ProblemList, field: string, value: number): number {
  return checkNumber(problems, field, value, 1, 65_535);
}

/** A whole number between two bounds, both included. */
export function checkNumber(
  problems: ProblemList,
  field: string,
  value: number,
  least: number,
  most: number,
): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    problems.add(field, value, `must be between ${least} and ${most}`, 'send a number in that range');
  }
  return value;
}
