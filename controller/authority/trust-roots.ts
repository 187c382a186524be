/**
 * Roots with overlap: one that left the issuer's files is trusted for as long as something that it signed may be in use.
 * Pure.
 */
import { maxRoots } from '../../proto/check-svid.js';

export interface HeldRoot {
  readonly der: Uint8Array;
  /** When it was first seen, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When it may be forgotten; null while the issuer names it. */
  readonly untilMs: number | null;
}

/** The roots to hold from now on. `current` are those that the issuer names; `keepMs` is the life of a certificate. */
export function updateRoots(
  held: readonly HeldRoot[],
  current: readonly Uint8Array[],
  nowMs: number,
  keepMs: number,
): readonly HeldRoot[] {
  const named = current.map((der): HeldRoot => {
    const known = held.find((root) => sameBytes(root.der, der));
    return { der, sinceMs: known?.sinceMs ?? nowMs, untilMs: null };
  });
  const retiring = held
    .filter((root) => !current.some((der) => sameBytes(der, root.der)))
    .map((root) => ({ ...root, untilMs: root.untilMs ?? nowMs + keepMs }))
    .filter((root) => root.untilMs > nowMs)
    .sort((left, right) => right.untilMs - left.untilMs);
  return [...named, ...retiring].slice(0, maxRoots);
}

/** Whether agents would be told the same. */
export function sameRoots(left: readonly HeldRoot[], right: readonly HeldRoot[]): boolean {
  return (
    left.length === right.length && left.every((root, at) => sameBytes(root.der, (right[at] as HeldRoot).der))
  );
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
