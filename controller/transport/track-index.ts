/** Finds workloads by what concerns them, so that nothing has to go over all of them. */
import type { Capture } from '../../model/workload.js';
import type { WorkloadResource } from './held-phases.js';

export class TrackIndex {
  /** Uids by node: what the node says concerns these. */
  readonly #byNode = new Map<string, Set<string>>();
  /** How many workloads shall be captured at each place that has a name. */
  readonly #places = new Map<string, number>();
  /** Workloads that may move, now or when a node speaks or time passes. All others are at rest. */
  readonly restless = new Set<string>();

  /** The workload is wanted like this from now on. */
  join({ name, body }: WorkloadResource): void {
    this.#byNode.set(body.node, (this.#byNode.get(body.node) ?? new Set()).add(name));
    this.#countPlace(body.node, body.capture, 1);
    this.restless.add(name);
  }

  /** It is not wanted like this any more. */
  leave({ name, body }: WorkloadResource): void {
    const others = this.#byNode.get(body.node);
    if (others?.delete(name) === true && others.size === 0) this.#byNode.delete(body.node);
    this.#countPlace(body.node, body.capture, -1);
    this.restless.delete(name);
  }

  /** The node has said something, or time may tell something of it. */
  rouse(node: string): void {
    for (const uid of this.#byNode.get(node) ?? []) this.restless.add(uid);
  }

  /** Another workload shall be captured there now. */
  isTaken(node: string, capture: Capture | null): boolean {
    const place = placeOf(node, capture);
    return place !== null && this.#places.has(place);
  }

  #countPlace(node: string, capture: Capture | null, by: 1 | -1): void {
    const place = placeOf(node, capture);
    if (place === null) return;
    const count = (this.#places.get(place) ?? 0) + by;
    if (count > 0) this.#places.set(place, count);
    else this.#places.delete(place);
  }
}

/** A namespace of a node, which belongs to one workload; null: its node finds one of its own. */
function placeOf(node: string, capture: Capture | null): string | null {
  return capture === null || capture.netns === '' ? null : `${node}/${capture.netns}`;
}
