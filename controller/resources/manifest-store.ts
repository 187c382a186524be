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
  /** Problems by origin: only of origins with which something is wrong. */
  readonly #troubled = new Map<string, readonly StatusProblem[]>();
  /** Origins by the key of the manifests that they hold. */
  readonly #holders = new Map<string, readonly string[]>();
  /** By key. */
  readonly #inForce = new Map<string, StoredManifest>();
  /** By key. */
  readonly #duplicates = new Map<string, readonly StatusProblem[]>();
  #incomplete = 0;
  readonly #origin: ManifestOrigin;

  /** @param origin what the documents come from */
  constructor(origin: ManifestOrigin = 'folder') {
    this.#origin = origin;
  }

  /** Takes a batch of changes in as a whole. Returns what is in force now, by the names that they touch. */
  apply(changes: readonly SourceChange[]): Map<string, StoredManifest | undefined> {
    const touched = new Set<string>();
    for (const change of changes) {
      const before = this.#origins.get(change.origin);
      const after = this.#read(change, before);
      if (after === null) this.#origins.delete(change.origin);
      else this.#origins.set(change.origin, after);
      if (after === null || after.problems.length === 0) this.#troubled.delete(change.origin);
      else this.#troubled.set(change.origin, after.problems);
      if (before?.incomplete === true) this.#incomplete -= 1;
      if (after?.incomplete === true) this.#incomplete += 1;
      this.#move(change.origin, before, after, touched);
    }
    for (const key of touched) this.#settleOwner(key);
    return new Map([...touched].map((key) => [key, this.#inForce.get(key)]));
  }

  /** What is in force, one manifest per name. */
  manifests(): StoredManifest[] {
    return [...this.#inForce.values()];
  }

  problems(): StatusProblem[] {
    return [...this.#troubled.values(), ...this.#duplicates.values()].flat();
  }

  /** Whether some document's meaning is unknown: then nobody may conclude that what it named is gone. */
  get incomplete(): boolean {
    return this.#incomplete > 0;
  }

  /** null: the origin is gone. */
  #read(change: SourceChange, before: OriginRecord | undefined): OriginRecord | null {
    switch (change.type) {
      case 'gone':
        return null;
      case 'unreadable':
        return keepAll(change, before);
      case 'holds':
        return this.#readOrigin(change.origin, change.documents, before);
    }
  }

  /** Keeps which origins hold a manifest of a name. */
  #move(
    origin: string,
    before: OriginRecord | undefined,
    after: OriginRecord | null,
    touched: Set<string>,
  ): void {
    for (const key of before?.manifests.keys() ?? []) {
      touched.add(key);
      const others = this.#holders.get(key)?.filter((holder) => holder !== origin) ?? [];
      if (others.length === 0) this.#holders.delete(key);
      else this.#holders.set(key, others);
    }
    for (const key of after?.manifests.keys() ?? []) {
      touched.add(key);
      this.#holders.set(key, [...(this.#holders.get(key) ?? []), origin]);
    }
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
  #settleOwner(key: string): void {
    const holders = [...(this.#holders.get(key) ?? [])].sort();
    const all = holders.flatMap((origin) => this.#origins.get(origin)?.manifests.get(key) ?? []);
    const owner = this.#inForce.get(key)?.origin;
    const winner = all.find(({ origin }) => origin === owner) ?? all[0];
    if (winner === undefined) this.#inForce.delete(key);
    else this.#inForce.set(key, winner);
    const losers = winner === undefined ? [] : all.filter((stored) => stored !== winner);
    if (winner === undefined || losers.length === 0) this.#duplicates.delete(key);
    else
      this.#duplicates.set(
        key,
        losers.map((stored) => duplicate(stored, winner)),
      );
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
