/** Which headers the decisions of a snapshot in the making read; see snapshot-draft.ts. */
import type { MapEdit } from './persistent-map.js';
import type { Resource } from './resource.js';
import type { Snapshot } from './snapshot.js';

/**
 * Different header names that all routes and policies together may read: the engine delivers 32 with each request,
 * one of them is the trace context. Who comes too late is refused; those in force are not touched.
 */
export const maxHeaderNames = 31;

export class HeaderDraft {
  readonly #names: readonly string[];
  readonly #uses: MapEdit<number>;

  constructor(before: Pick<Snapshot, 'headerNames' | 'headerUses'>) {
    this.#names = before.headerNames;
    this.#uses = before.headerUses.edit();
  }

  /** A resource comes (1) or goes (-1). */
  count(resource: Resource, change: 1 | -1): void {
    for (const name of headersRead(resource)) {
      const uses = (this.#uses.get(name) ?? 0) + change;
      if (uses > 0) this.#uses.set(name, uses);
      else this.#uses.delete(name);
    }
  }

  /** Names that nobody else reads and for which there is no room, if `coming` took the place of `standing`. */
  beyondLimit(coming: Resource, standing: Resource | undefined): string[] {
    if (standing !== undefined) this.count(standing, -1);
    const fresh = [...headersRead(coming)].filter((name) => this.#uses.get(name) === undefined);
    const room = maxHeaderNames - this.#uses.size;
    if (standing !== undefined) this.count(standing, 1);
    return fresh.length > room ? fresh : [];
  }

  /** The list of names is the one from before where nothing changed. */
  finish(): Pick<Snapshot, 'headerNames' | 'headerUses'> {
    const headerUses = this.#uses.finish();
    const names = [...headerUses.entries()].map(([name]) => name).sort();
    const same = names.length === this.#names.length && names.every((name, at) => name === this.#names[at]);
    return { headerUses, headerNames: same ? this.#names : names };
  }
}

/** Lower-case names of the headers that a resource's matches or rules read; `host` is the authority, no header. */
function headersRead(resource: Resource): Set<string> {
  const names = new Set(namesIn(resource).map((name) => name.toLowerCase()));
  names.delete('host');
  return names;
}

function namesIn(resource: Resource): string[] {
  switch (resource.kind) {
    case 'http-route':
    case 'grpc-route':
      return resource.body.rules.flatMap((rule) =>
        rule.matches.flatMap((match) => match.headers.map(({ name }) => name)),
      );
    case 'authorization-policy':
      if (resource.body.broken) return [];
      return resource.body.rules.flatMap((rule) => rule.http?.headers.map(({ name }) => name) ?? []);
    case 'mesh':
    case 'workload':
    case 'workload-index':
    case 'service':
    case 'endpoints':
      return [];
  }
}
