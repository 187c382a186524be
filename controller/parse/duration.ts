/** Durations as Gateway API writes them (GEP-2257): up to four of `<number><unit>`, such as `1m30s` or `500ms`. */

const unitsMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Milliseconds, or null where the text is no such duration. At most 99999h per GEP-2257. */
export function parseDuration(text: string): number | null {
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]{1,5})(ms|h|m|s)/g)) {
    total += Number(amount) * unitsMs[unit as keyof typeof unitsMs];
  }
  return total;
}
