/** Conditions of objects, as Kubernetes API conventions have them ("Typical status properties"). */
import { asList, asRecord } from './api-object.js';

/** What a condition shall say. */
export interface WantedCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export interface Condition extends WantedCondition {
  /** Absent where the kind's conditions have none. */
  readonly observedGeneration?: number;
  /** RFC 3339: since when `status` is what it is. */
  readonly lastTransitionTime: string;
}

/** The API takes 32768; nobody reads as much, and every byte is stored with each version of the object. */
const maxMessage = 1024;

/**
 * The conditions to write: those wanted, each with the time of its last transition.
 *
 * @param current what the object has now, as the API gave it
 * @param generation of the object that was judged; null where the kind's conditions tell none
 * @param now RFC 3339 in whole seconds
 */
export function settleConditions(
  wanted: readonly WantedCondition[],
  current: unknown,
  generation: number | null,
  now: string,
): Condition[] {
  return wanted.map(({ type, status, reason, message }) => {
    const before = asList(current)
      .map(asRecord)
      .find((one) => one?.type === type);
    const since = before?.lastTransitionTime;
    const same = before?.status === status && typeof since === 'string';
    return {
      type,
      status,
      reason,
      message: message.length > maxMessage ? `${message.slice(0, maxMessage - 1)}…` : message,
      ...(generation === null ? {} : { observedGeneration: generation }),
      lastTransitionTime: same ? since : now,
    };
  });
}
