/** What is counted for one source, destination and target, and how it is found again without looking it up. */
import type { DurationHistogram } from './duration-histogram.js';
import type { EdgeCounts } from './edge-counts.js';

/** Counters of one (direction, source, destination, target). */
export interface Series {
  readonly direction: number;
  readonly sourceId: number;
  readonly destinationId: number;
  readonly targetId: number;
  /** By {@link requestKey}. */
  readonly requests: KeyedCounts;
  readonly durations: DurationHistogram;
  /** By {@link connectionKey}. */
  readonly connections: KeyedCounts;
  readonly edges: EdgeCounts;
  bytesReceived: number;
  bytesSent: number;
}

/** Few keys, the first of which is nearly always meant: it stands by itself, and a list beats a hash table. */
export class KeyedCounts {
  #firstKey = -1;
  #firstCount = 0;
  readonly #keys: number[] = [];
  readonly #counts: number[] = [];

  get size(): number {
    return this.#firstKey < 0 ? 0 : this.#keys.length + 1;
  }

  increment(key: number): void {
    if (this.#firstKey < 0) this.#firstKey = key;
    if (key === this.#firstKey) {
      this.#firstCount += 1;
      return;
    }
    let at = 0;
    while (at < this.#keys.length && this.#keys[at] !== key) at += 1;
    if (at === this.#keys.length) {
      this.#keys.push(key);
      this.#counts.push(0);
    }
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  *entries(): Generator<[key: number, count: number]> {
    if (this.#firstKey >= 0) yield [this.#firstKey, this.#firstCount];
    for (const [at, key] of this.#keys.entries()) yield [key, this.#counts[at] as number];
  }
}

/** Numbers of a a LabelTable; a request's or a connection's record serves as its own key. */
export interface SeriesKey {
  readonly direction: number;
  readonly sourceId: number;
  readonly destinationId: number;
  readonly targetId: number;
  /** Where the series that was found last is kept; null where nothing is. */
  readonly memo: SeriesMemo | null;
}

/** Something that one series is nearly always about: it need not be looked up then. */
export interface SeriesMemo {
  series: Series | null;
}

export function isSeriesOf(series: Series, key: SeriesKey): boolean {
  return (
    series.targetId === key.targetId &&
    series.destinationId === key.destinationId &&
    series.sourceId === key.sourceId &&
    series.direction === key.direction
  );
}
