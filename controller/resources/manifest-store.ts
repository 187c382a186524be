/**
 * All manifests of a source, each at its last good version. Holds what no single document shows: what stays in
 * force when a document goes bad, and which of two documents with one name counts.
 */
import { fieldProblem } from '../parse/field-problem.js';
import { type Manifest, type ManifestId, manifestKey } from '../parse/manifest.js';
import { type ManifestOrigin, type ParsedManifest, parseManifest } from '../parse/parse-manifest.js';
import type { SourceChange, SourceDocument } from '../source/source.js';
import { type InForce, type Place, placeProblem, type StatusProblem } from './status-problem.js';

/** A manifest with the place that it was written at. */
export interface StoredManifest extends Place {
  readonly manifest: Manifest;
  /** good: as the document says now. kept: the last good version. fallback: what closes a policy's targets. */
  readonly standing: 'good' | 'kept' | 'fallback';
}

interface OriginRecord {
  readonly manifests: ReadonlyMap<string, StoredManifest>;
  readonly problems: readonly StatusProblem[];
  /** Something here could not be read and has no last good version, so it is not known what it should be. */
  readonly incomplete: boolean;
}

export class ManifestStore {
  readonly #origins = new Map<string, OriginRecord>();
  #inForce: ReadonlyMap<string, StoredManifest> = new Map();
  #duplicates: readonly StatusProblem[] = [];
  readonly #origin: ManifestOrigin;

  /** @param origin what the documents come from */
  constructor(origin: ManifestOrigin = 'folder') {
    this.#origin = origin;
  }

  /** Takes a batch of changes in as a whole. */
  apply(changes: readonly SourceChange[]): void {
    for (const change of changes) {
      const before = this.#origins.get(change.origin);
      switch (change.type) {
        case 'gone':
          this.#origins.delete(change.origin);
          break;
        case 'unreadable':
          this.#origins.set(change.origin, keepAll(change, before));
          break;
        case 'holds':
          this.#origins.set(change.origin, this.#readOrigin(change.origin, change.documents, before));
          break;
      }
    }
    this.#settleOwners();
  }

  /** What is in force, one manifest per name. */
  manifests(): StoredManifest[] {
    return [...this.#inForce.values()];
  }

  problems(): StatusProblem[] {
    return [...this.#origins.values()].flatMap((record) => [...record.problems]).concat(this.#duplicates);
  }

  /** Whether some document's meaning is unknown: then nobody may conclude that what it named is gone. */
  get incomplete(): boolean {
    return [...this.#origins.values()].some((record) => record.incomplete);
  }

  #readOrigin(
    origin: string,
    documents: readonly SourceDocument[],
    before: OriginRecord | undefined,
  ): OriginRecord {
    const reader = new OriginReader(before?.manifests ?? new Map(), this.#inForce);
    for (const { value, locate } of documents)
      reader.add(parseManifest(value, this.#origin), { origin, locate });
    return reader.finish(before === undefined);
  }

  /** Of several documents with one name the one that was in force stays so; else the first by path. */
  #settleOwners(): void {
    const inForce = new Map<string, StoredManifest>();
    const duplicates: StatusProblem[] = [];
    for (const origin of [...this.#origins.keys()].sort()) {
      for (const [key, stored] of this.#origins.get(origin)?.manifests ?? []) {
        const other = inForce.get(key);
        const owned = this.#inForce.get(key)?.origin === origin;
        const winner = other === undefined || owned ? stored : other;
        inForce.set(key, winner);
        if (other !== undefined) duplicates.push(duplicate(winner === stored ? other : stored, winner));
      }
    }
    this.#inForce = inForce;
    this.#duplicates = duplicates;
  }
}

/** Builds the record of one origin, document by document. */
class OriginReader {
  readonly #before: ReadonlyMap<string, StoredManifest>;
  readonly #inForce: ReadonlyMap<string, StoredManifest>;
  readonly #manifests = new Map<string, StoredManifest>();
  readonly #problems: StatusProblem[] = [];
  readonly #foreign = new Set<string>();
  #incomplete = false;
  #unnamed = false;

  constructor(before: ReadonlyMap<string, StoredManifest>, inForce: ReadonlyMap<string, StoredManifest>) {
    this.#before = before;
    this.#inForce = inForce;
  }

  add(parsed: ParsedManifest, place: Place): void {
    switch (parsed.type) {
      case 'manifest':
        this.#put({ ...place, manifest: parsed.manifest, standing: 'good' });
        break;
      case 'foreign':
        this.#foreign.add(`${parsed.namespace}/${parsed.name}`);
        if (parsed.warning !== null) {
          this.#problems.push(placeProblem('warning', place, null, parsed.warning, 'nothing'));
        }
        break;
      case 'refused':
        this.#refuse(parsed, place);
        break;
    }
  }

  /** `first`: the origin was not known before, so nothing of it can be kept. */
  finish(first: boolean): OriginRecord {
    for (const [key, stored] of this.#before) {
      const { namespace, name } = stored.manifest.id;
      const held = this.#unnamed || this.#foreign.has(`${namespace}/${name}`);
      if (held && !this.#manifests.has(key)) this.#manifests.set(key, asKept(stored));
    }
    const incomplete = this.#incomplete || (this.#unnamed && first);
    return { manifests: this.#manifests, problems: this.#problems, incomplete };
  }

  #put(stored: StoredManifest): void {
    const key = manifestKey(stored.manifest.id);
    const other = this.#manifests.get(key);
    if (other === undefined) this.#manifests.set(key, stored);
    else this.#problems.push(duplicate(stored, other));
  }

  #refuse(parsed: Extract<ParsedManifest, { type: 'refused' }>, place: Place): void {
    const { id, problems, fallback } = parsed;
    const inForce = id === null ? this.#holdUnnamed() : this.#substitute(id, fallback, place);
    for (const problem of problems) {
      this.#problems.push(placeProblem('error', place, id, problem, inForce));
    }
  }

  /** The document may be any of this origin's, so all that it does not show otherwise stays. */
  #holdUnnamed(): InForce {
    this.#unnamed = true;
    return this.#before.size > 0 ? 'last-good' : 'nothing';
  }

  #substitute(id: ManifestId, fallback: Manifest | null, place: Place): InForce {
    const key = manifestKey(id);
    const last = this.#before.get(key) ?? this.#inForce.get(key);
    if (last !== undefined && last.standing !== 'fallback') {
      this.#put({ ...place, manifest: last.manifest, standing: 'kept' });
      return 'last-good';
    }
    if (fallback !== null) {
      this.#put({ ...place, manifest: fallback, standing: 'fallback' });
      return 'closed';
    }
    this.#incomplete = true;
    return 'nothing';
  }
}

function asKept(stored: StoredManifest): StoredManifest {
  return stored.standing === 'good' ? { ...stored, standing: 'kept' } : stored;
}

function keepAll(
  change: Extract<SourceChange, { type: 'unreadable' }>,
  before: OriginRecord | undefined,
): OriginRecord {
  const { origin, line, value, message, fix } = change;
  const place = { origin, locate: () => line };
  const inForce = before === undefined ? 'nothing' : 'last-good';
  const kept = [...(before?.manifests ?? [])].map(([key, stored]) => [key, asKept(stored)] as const);
  return {
    manifests: new Map(kept),
    problems: [placeProblem('error', place, null, fieldProblem([], value, message, fix), inForce)],
    incomplete: before === undefined || before.incomplete,
  };
}

function duplicate(loser: StoredManifest, winner: StoredManifest): StatusProblem {
  const other = `${winner.origin}:${winner.locate([])}`;
  const problem = fieldProblem(
    ['metadata', 'name'],
    loser.manifest.id.name,
    `is defined in ${other} too, which stays in force`,
    'keep one of the two',
  );
  return placeProblem('error', loser, loser.manifest.id, problem, 'nothing');
}
