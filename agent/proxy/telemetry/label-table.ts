/** Small numbers for labels, so that the hot path keys its counters by numbers and builds no string. */

/** Who a series is about: a workload's app in its namespace. */
export interface WorkloadLabels {
  readonly namespace: string;
  readonly workload: string;
}

/** What a series is about on the far side: a service, and the route that was taken. */
export interface TargetLabels {
  readonly service: string;
  readonly route: string;
}

/** Bound of either table; what does not fit shares the number 0, `unknown`. Keeps two numbers inside 31 bits. */
const maxEntries = 1 << 15;

/** Interns pairs of strings; number 0 is the pair it was made with. */
class PairTable<Pair> {
  readonly #ids = new Map<string, Map<string, number>>();
  readonly #pairs: Pair[];

  constructor(unknown: Pair) {
    this.#pairs = [unknown];
  }

  id(first: string, second: string, pair: Pair): number {
    const inner = this.#ids.get(first) ?? new Map<string, number>();
    if (inner.size === 0) this.#ids.set(first, inner);
    const known = inner.get(second);
    if (known !== undefined) return known;
    if (this.#pairs.length >= maxEntries) return 0;
    const id = this.#pairs.length;
    this.#pairs.push(pair);
    inner.set(second, id);
    return id;
  }

  at(id: number): Pair {
    const pair = this.#pairs[id];
    if (pair === undefined) throw new RangeError(`no labels have the number ${id}`);
    return pair;
  }
}

export class LabelTable {
  readonly #workloads = new PairTable<WorkloadLabels>({ namespace: 'unknown', workload: 'unknown' });
  readonly #targets = new PairTable<TargetLabels>({ service: 'unknown', route: 'default' });

  workloadId(namespace: string, workload: string): number {
    return this.#workloads.id(namespace, workload, { namespace, workload });
  }

  targetId(service: string, route: string): number {
    return this.#targets.id(service, route, { service, route });
  }

  workload(id: number): WorkloadLabels {
    return this.#workloads.at(id);
  }

  target(id: number): TargetLabels {
    return this.#targets.at(id);
  }
}

/** Workload number and target number 0: nothing is known. */
export const unknownId = 0;
