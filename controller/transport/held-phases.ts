/**
 * The phases that a controller holds, whoever decided them, and its configuration with them put in. Another replica's
 * watch may be ahead of the holder's or behind it, so wish and phase of a workload come from the table alone.
 */
import type { Resource } from '../../model/resource.js';
import type { Capture } from '../../model/workload.js';
import type { ResourceId } from '../publish/resource-id.js';
import type { Changes } from '../publish/snapshot.js';
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
  /** Workloads as the manifests want them. */
  readonly #wanted = new Map<string, WorkloadResource>();
  /** What is in force and has not been taken yet. */
  #changes = new Map<ResourceId, Resource | undefined>();
  /** Workloads whose entries this controller cannot put in force: it does not know them yet. */
  readonly #missing = new Set<string>();
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

  /** All workloads, as the manifests want them. */
  wanted(): Map<ResourceId, WorkloadResource> {
    return new Map([...this.#wanted].map(([uid, resource]) => [`workload ${uid}`, resource]));
  }

  /** What the manifests want now, as far as it has changed. */
  want(changes: Changes): void {
    for (const [id, resource] of changes) {
      if (resource?.kind === 'workload') this.#want(resource);
      else if (id.startsWith(workloadPrefix)) this.#forget(id.slice(workloadPrefix.length));
      else this.#changes.set(id, resource);
    }
  }

  take({ stamp, whole, entries, gone }: PhaseNews): void {
    this.#stamp = stamp;
    const dropped = whole ? [...this.#entries.keys()].filter((uid) => !entries.has(uid)) : gone;
    for (const uid of dropped) {
      if (this.#wanted.has(uid)) this.#orphans.add(uid);
      else this.#drop(uid);
      this.#deleted.delete(uid);
      this.#note(uid);
    }
    for (const [uid, entry] of entries) {
      this.#entries.set(uid, entry);
      this.#orphans.delete(uid);
      if (entry.capture !== null && !this.#captures.has(uid)) this.#captures.set(uid, entry.capture);
      this.#note(uid);
    }
  }

  /** All that has been taken by {@link takeChanges} is at this generation at least. */
  get complete(): number {
    let complete = this.#stamp.generation;
    for (const uid of this.#missing) {
      complete = Math.min(complete, (this.#entries.get(uid)?.since ?? Number.POSITIVE_INFINITY) - 1);
    }
    return complete;
  }

  /** What shall be published and is different since the last call: workloads in their phases, all else as it is. */
  takeChanges(): Map<ResourceId, Resource | undefined> {
    const changes = this.#changes;
    this.#changes = new Map();
    return changes;
  }

  /** Something about a workload has changed. */
  #note(uid: string): void {
    const base = this.#wanted.get(uid);
    const entry = this.#entries.get(uid);
    const isMissing =
      base === undefined && entry !== undefined && !this.#deleted.has(uid) && !isTrivial(entry);
    this.#missing[isMissing ? 'add' : 'delete'](uid);
    if (base !== undefined) this.#changes.set(`${workloadPrefix}${uid}`, this.#withPhase(base));
  }

  #want(resource: WorkloadResource): void {
    const { name, body } = resource;
    if (body.capture !== null) this.#captures.set(name, body.capture);
    this.#deleted.delete(name);
    this.#wanted.set(name, resource);
    this.#note(name);
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
    this.#missing.delete(uid);
  }

  #forget(uid: string): void {
    this.#made.delete(uid);
    if (this.#wanted.delete(uid)) this.#changes.set(`${workloadPrefix}${uid}`, undefined);
    if (this.#orphans.delete(uid) || !this.#entries.has(uid)) {
      this.#drop(uid);
      return;
    }
    this.#deleted.add(uid);
    for (const oldest of this.#deleted) {
      if (this.#deleted.size <= maxDeleted) break;
      this.#deleted.delete(oldest);
      this.#note(oldest);
    }
  }
}

const workloadPrefix = 'workload ';
