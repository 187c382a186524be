/** How transport phases travel between controllers: as numbered changes of one table, by uid of the workload. */
import type { Capture, TransportPhase } from '../../model/workload.js';

/** What the holder of the lease has decided about a workload. */
export interface PhaseEntry {
  readonly phase: TransportPhase;
  /** Its node shall capture it: the holder's view, which may be ahead of another replica's or behind it. */
  readonly wanted: boolean;
  /** How it is captured; null in phase plaintext, where the manifests alone say it. */
  readonly capture: Capture | null;
  /** The generation that brought phase and wish. */
  readonly since: number;
}

/** Which state of the table: generations count up within a term, and each holder has a term of its own. */
export interface TableStamp {
  /** 0: made of what agents brought, without a word of any holder. */
  readonly term: number;
  readonly generation: number;
}

export interface PhaseNews {
  readonly stamp: TableStamp;
  /** All there is, in place of what was held; otherwise changes alone. */
  readonly whole: boolean;
  readonly entries: ReadonlyMap<string, PhaseEntry>;
  /** Workloads that the holder knows no more. */
  readonly gone: readonly string[];
}

/** What a replica tells the holder, in order. */
export type ReplicaMessage =
  /** First. The table that the replica holds. */
  | { readonly type: 'hello'; readonly table: PhaseNews }
  /** An agent has come; with the phases that it holds, but for plaintext. */
  | { readonly type: 'come'; readonly node: string; readonly held: ReadonlyMap<string, TransportPhase> }
  | { readonly type: 'gone'; readonly node: string }
  /** The node has everything up to this generation in force. */
  | { readonly type: 'acked'; readonly node: string; readonly generation: number }
  /** By uid; true: captured, and its identity in force. */
  | { readonly type: 'report'; readonly node: string; readonly workloads: ReadonlyMap<string, boolean> }
  /** The replica itself publishes everything up to this generation. */
  | { readonly type: 'applied'; readonly generation: number };

/** What the holder tells a replica, in order. */
export type HolderMessage =
  | { readonly type: 'phases'; readonly news: PhaseNews }
  /** Every decision that did not wait for this node has been sent: it may be served. */
  | { readonly type: 'welcome'; readonly node: string };

export const noTable: PhaseNews = {
  stamp: { term: 0, generation: 0 },
  whole: true,
  entries: new Map(),
  gone: [],
};

/** Nothing of it concerns anybody: what the manifests say is enough. */
export function isTrivial({ phase, wanted }: Pick<PhaseEntry, 'phase' | 'wanted'>): boolean {
  return phase === 'plaintext' && !wanted;
}

export function isNewer(left: TableStamp, right: TableStamp): boolean {
  return left.term > right.term || (left.term === right.term && left.generation > right.generation);
}
