/**
 * The phases that a controller holds, whoever decided them, and its configuration with them put in. Another replica's
 * watch may be ahead of the holder's or behind it, so wish and phase of a workload come from the table alone.
 */
import type { Resource } from '../../model/resource.js';
import type { Capture } from '../../model/workload.js';
import { makeResource } from '../resources/make-resource.js';
import { isTrivial, noTable, type PhaseEntry, type PhaseNews, type TableStamp } from './phase-news.js';

export type WorkloadResource = Extract<Resource, { kind: 'workload' }>;

interface Made {
  readonly base: WorkloadResource;
  readonly entry: PhaseEntry;
  readonly resource: WorkloadResource;
}

/** Workloads that went away here are remembered up to so many: the holder may speak of them for a moment longer. */
const maxDeleted = 20_000;

export class HeldPhases {
  #stamp: TableStamp = noTable.stamp;
  readonly #entries = new Map<string, PhaseEntry>();
  /** Entries that the holder has dropped: they stay for as long as this controller knows the workload. */
  readonly #orphans = new Set<string>();
  #resources: readonly Resource[] = [];
  #known: ReadonlySet<string> = new Set();
  readonly #deleted = new Set<string>();
  /** The last way of capture that the manifests told: it outlives the wish. */
  readonly #captures = new Map<string, Capture>();
  readonly #made = new Map<string, Made>();

  get stamp(): TableStamp {
    return this.#stamp;
  }

  /** The whole table. */
  table(): PhaseNews {
    const entries = new Map<string, PhaseEntry>();
    for (const [uid, entry] of this.#entries) {
      // Whoever goes on from here must be able to keep capturing what is to be released by then.
      const capture = entry.phase === 'plaintext' ? null : (this.#captures.get(uid) ?? null);
      entries.set(uid, { ...entry, capture });
    }
    return { stamp: this.#stamp, whole: true, entries, gone: [] };
  }

  /** What the manifests want now. */
  want(resources: readonly Resource[]): void {
    const known = new Set<string>();
    for (const resource of resources) {
      if (resource.kind !== 'workload') continue;
      known.add(resource.name);
      if (resource.body.capture !== null) this.#captures.set(resource.name, resource.body.capture);
    }
    for (const uid of this.#known) if (!known.has(uid)) this.#forget(uid);
    for (const uid of known) this.#deleted.delete(uid);
    this.#resources = resources;
    this.#known = known;
  }

  take({ stamp, whole, entries, gone }: PhaseNews): void {
    this.#stamp = stamp;
    const dropped = whole ? [...this.#entries.keys()].filter((uid) => !entries.has(uid)) : gone;
    for (const uid of dropped) {
      if (this.#known.has(uid)) this.#orphans.add(uid);
      else this.#drop(uid);
      this.#deleted.delete(uid);
    }
    for (const [uid, entry] of entries) {
      this.#entries.set(uid, entry);
      this.#orphans.delete(uid);
      if (entry.capture !== null && !this.#captures.has(uid)) this.#captures.set(uid, entry.capture);
    }
  }

  /** All that {@link inForce} gives is at this generation at least. */
  get complete(): number {
    let complete = this.#stamp.generation;
    for (const [uid, entry] of this.#entries) {
      const missing = !this.#known.has(uid) && !this.#deleted.has(uid) && !isTrivial(entry);
      if (missing) complete = Math.min(complete, entry.since - 1);
    }
    return complete;
  }

  /** Resources as they shall be published: workloads in their phases, all else as it is. */
  inForce(): Resource[] {
    return this.#resources.map((resource) =>
      resource.kind === 'workload' ? this.#withPhase(resource) : resource,
    );
  }

  #withPhase(base: WorkloadResource): WorkloadResource {
    const entry = this.#entries.get(base.name);
    if (entry === undefined || isTrivial(entry)) return base;
    const before = this.#made.get(base.name);
    if (before?.base.version === base.version && before.entry === entry) return before.resource;
    const { kind, name, ownerNamespace, body } = base;
    const capture = body.capture ?? this.#captures.get(name) ?? null;
    const { phase: transport, wanted: captured } = entry;
    const resource =
      transport === body.transport && captured === body.captured && capture === body.capture
        ? base
        : (makeResource(kind, name, ownerNamespace, {
            ...body,
            captured,
            capture,
            transport,
          }) as WorkloadResource);
    this.#made.set(name, { base, entry, resource });
    return resource;
  }

  #drop(uid: string): void {
    this.#entries.delete(uid);
    this.#captures.delete(uid);
  }

  #forget(uid: string): void {
    this.#made.delete(uid);
    if (this.#orphans.delete(uid) || !this.#entries.has(uid)) {
      this.#drop(uid);
      return;
    }
    this.#deleted.add(uid);
    for (const oldest of this.#deleted) {
      if (this.#deleted.size <= maxDeleted) break;
      this.#deleted.delete(oldest);
    }
  }
}
