/**
 * What routes need registered with the engine: header edits, redirects' replies, sets of statuses. Made at first use,
 * released when their route goes or changes.
 */
import type { CompiledFilters } from '../../../model/compile-filters.js';
import type { CompiledRule } from '../../../model/compile-route.js';
import type { HeaderEdits } from '../../../model/route.js';
import { resourceId, type Snapshot } from '../../../model/snapshot.js';
import type { Edit, Engine } from '../../../native/engine.js';

/** Ids of one set of folded filters; 0 is none. */
export interface FilterEffects {
  readonly requestEdit: number;
  readonly responseEdit: number;
}

type Definer = Pick<Engine, 'defineEdit' | 'defineReply' | 'defineStatusSet' | 'release'>;

interface RuleEffects {
  readonly filters: Map<CompiledFilters, FilterEffects>;
  redirectReply: number;
  statusSet: number;
}

const noEffects: FilterEffects = { requestEdit: 0, responseEdit: 0 };

export class RouteEffects {
  readonly #engine: Definer;
  readonly #rules = new Map<CompiledRule, RuleEffects>();

  constructor(engine: Definer) {
    this.#engine = engine;
  }

  filtersOf(rule: CompiledRule, filters: CompiledFilters): FilterEffects {
    if (filters.request === null && filters.response === null) return noEffects;
    const effects = this.#of(rule);
    const known = effects.filters.get(filters);
    if (known !== undefined) return known;
    const made = { requestEdit: this.#edit(filters.request), responseEdit: this.#edit(filters.response) };
    effects.filters.set(filters, made);
    return made;
  }

  /** The reply of a rule's redirect, without its Location. */
  redirectOf(rule: CompiledRule): number {
    const effects = this.#of(rule);
    if (effects.redirectReply === 0 && rule.redirect !== null) {
      const edits = rule.filters.response;
      const headers = [...(edits?.set ?? []), ...(edits?.add ?? [])].map(
        ({ name, value }) => [name, value] as const,
      );
      effects.redirectReply = this.#engine.defineReply({
        status: rule.redirect.statusCode,
        headers,
        body: '',
      });
    }
    return effects.redirectReply;
  }

  /** The statuses that a rule tries again; 0 where it names none. */
  retryStatusesOf(rule: CompiledRule): number {
    if (rule.retry.codes.size === 0) return 0;
    const effects = this.#of(rule);
    if (effects.statusSet === 0) effects.statusSet = this.#engine.defineStatusSet([...rule.retry.codes]);
    return effects.statusSet;
  }

  /** Releases what belongs to rules that the snapshot no longer has. */
  follow(snapshot: Snapshot): void {
    for (const [rule, effects] of this.#rules) {
      const { route } = rule;
      const current = snapshot.resources.get(resourceId(route.kind, `${route.namespace}/${route.name}`));
      if (current?.body !== route) this.#release(rule, effects);
    }
  }

  #of(rule: CompiledRule): RuleEffects {
    const known = this.#rules.get(rule);
    if (known !== undefined) return known;
    const made: RuleEffects = { filters: new Map(), redirectReply: 0, statusSet: 0 };
    this.#rules.set(rule, made);
    return made;
  }

  #edit(edits: HeaderEdits | null): number {
    return edits === null ? 0 : this.#engine.defineEdit(toEdit(edits));
  }

  #release(rule: CompiledRule, effects: RuleEffects): void {
    this.#rules.delete(rule);
    for (const { requestEdit, responseEdit } of effects.filters.values()) {
      if (requestEdit !== 0) this.#engine.release('edit', requestEdit);
      if (responseEdit !== 0) this.#engine.release('edit', responseEdit);
    }
    if (effects.redirectReply !== 0) this.#engine.release('reply', effects.redirectReply);
    if (effects.statusSet !== 0) this.#engine.release('status-set', effects.statusSet);
  }
}

function toEdit(edits: HeaderEdits): Edit {
  return {
    set: edits.set.map(({ name, value }) => [name, value]),
    add: edits.add.map(({ name, value }) => [name, value]),
    remove: edits.remove,
  };
}
