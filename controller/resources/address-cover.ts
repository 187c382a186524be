/** The ranges of a mesh that gives none: exactly the addresses that are somebody's, or a cluster's ranges and what lies beyond. */
import type { Service } from '../../model/service.js';
import type { Workload } from '../../model/workload.js';
import type { Settled } from '../derive/graph.js';
import { Table } from '../derive/table.js';
import { only } from './build-mesh.js';
import { coverAddresses, RangeSet } from './cover-addresses.js';
import type { ManifestTables } from './manifest-tables.js';
import type { StatusProblem } from './status-problem.js';

/** Neighbouring addresses, and the ranges that hold exactly them. */
interface Neighbours {
  readonly addresses: Set<string>;
  /** null: to be found. */
  ranges: readonly string[] | null;
}

/** Costs what has changed and the number of ranges; when one of a cluster's own ranges goes, the number of addresses. */
export class AddressCover extends Table<readonly string[]> implements Settled {
  readonly problems: ReadonlyMap<string, readonly StatusProblem[]> = new Map();
  /** null: every address stands by itself. */
  readonly #cluster: ManifestTables | null;
  /** How many hold an address: for a moment two may. */
  readonly #holders = new Map<string, number>();
  /** What lies outside of the cluster's ranges, by the part of the address that neighbours share. */
  readonly #outside = new Map<string, Neighbours>();
  #known: readonly string[] = [];
  #knownSet = new RangeSet([]);
  #knownChanged = true;
  #changed = true;

  /** `cluster`: whose nodes and services have ranges; null: a folder's. */
  constructor(workloads: Table<Workload>, services: Table<Service>, cluster: ManifestTables | null) {
    super(workloads.graph);
    this.#cluster = cluster;
    this.graph.add(this);
    for (const table of [workloads, services] as readonly Table<Workload | Service>[]) {
      table.watch((_, before, after) => {
        for (const address of after?.addresses ?? []) this.#add(address);
        for (const address of before?.addresses ?? []) this.#remove(address);
      });
    }
    const knownChanged = () => {
      this.#knownChanged = true;
    };
    cluster?.nodes.watch(knownChanged);
    cluster?.serviceRanges.watch(knownChanged);
  }

  settle(): void {
    if (this.#knownChanged) this.#readKnown();
    if (!this.#changed) return;
    this.#changed = false;
    this.replace(only, this.#cluster === null ? this.#each() : this.#cover());
  }

  sweep(): void {}

  #each(): string[] {
    return [...this.#holders.keys()]
      .sort()
      .map((address) => `${address}/${address.includes(':') ? 128 : 32}`);
  }

  #cover(): string[] {
    const outside = [...this.#outside.values()].flatMap((neighbours) => {
      neighbours.ranges ??= coverAddresses([], [...neighbours.addresses]);
      return neighbours.ranges;
    });
    return coverAddresses([...this.#known, ...outside], []);
  }

  #add(address: string): void {
    const holders = this.#holders.get(address) ?? 0;
    this.#holders.set(address, holders + 1);
    if (holders > 0) return;
    if (this.#cluster === null) this.#changed = true;
    else if (!this.#knownSet.has(address)) this.#change(address).addresses.add(address);
  }

  #remove(address: string): void {
    const holders = (this.#holders.get(address) ?? 0) - 1;
    if (holders > 0) {
      this.#holders.set(address, holders);
      return;
    }
    this.#holders.delete(address);
    const key = neighbourhood(address);
    if (this.#cluster === null) this.#changed = true;
    else if (this.#outside.get(key)?.addresses.has(address) === true) {
      const { addresses } = this.#change(address);
      addresses.delete(address);
      if (addresses.size === 0) this.#outside.delete(key);
    }
  }

  #change(address: string): Neighbours {
    const key = neighbourhood(address);
    const neighbours = this.#outside.get(key) ?? { addresses: new Set(), ranges: null };
    neighbours.ranges = null;
    this.#outside.set(key, neighbours);
    this.#changed = true;
    return neighbours;
  }

  #readKnown(): void {
    this.#knownChanged = false;
    const { nodes, serviceRanges } = this.#cluster ?? {};
    const known = [
      ...[...(nodes?.entries().values() ?? [])].flatMap(({ manifest }) => manifest.podRanges),
      ...[...(serviceRanges?.entries().values() ?? [])].flatMap(({ manifest }) => manifest.serviceRanges),
    ].sort();
    if (known.join() === this.#known.join()) return;
    const all = new Set(known);
    // What lay inside of a range still does, as long as no range has gone.
    const grown = this.#known.every((range) => all.has(range));
    const outside = [...this.#outside.values()].flatMap(({ addresses }) => [...addresses]);
    this.#known = known;
    this.#knownSet = new RangeSet(known);
    this.#outside.clear();
    this.#changed = true;
    for (const address of grown ? outside : this.#holders.keys()) {
      if (!this.#knownSet.has(address)) this.#change(address).addresses.add(address);
    }
  }
}

/** All but the last number of an address. */
function neighbourhood(address: string): string {
  return address.slice(0, Math.max(address.lastIndexOf('.'), address.lastIndexOf(':')));
}
