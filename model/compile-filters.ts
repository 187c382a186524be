/** HTTPRoute filters, folded into what one forwarded request needs: header edits, one redirect or one rewrite. */
import type { HeaderEdits, HeaderValue, HttpFilter, PathEdit } from './route.js';

export type RedirectFilter = Extract<HttpFilter, { type: 'RequestRedirect' }>;

export interface UrlRewrite {
  readonly hostname: string | undefined;
  readonly path: PathEdit | undefined;
}

/** Filters of a rule and one of its backends together. */
export interface CompiledFilters {
  /** Applied in this order: remove, set, add. Names are lower case. */
  readonly request: HeaderEdits | null;
  readonly response: HeaderEdits | null;
  readonly redirect: RedirectFilter | null;
  readonly rewrite: UrlRewrite | null;
}

export const noFilters: CompiledFilters = { request: null, response: null, redirect: null, rewrite: null };

/**
 * Folds filters in their order (a rule's, then its backend's) into one. A later edit of a header wins over an
 * earlier one, as if they had been applied one after the other; a later rewrite or redirect replaces an earlier one.
 */
export function compileFilters(filters: readonly HttpFilter[]): CompiledFilters {
  if (filters.length === 0) return noFilters;
  const request = new EditFold();
  const response = new EditFold();
  let redirect: RedirectFilter | null = null;
  let rewrite: UrlRewrite | null = null;
  for (const filter of filters) {
    switch (filter.type) {
      case 'RequestHeaderModifier':
        request.apply(filter.edits);
        break;
      case 'ResponseHeaderModifier':
        response.apply(filter.edits);
        break;
      case 'RequestRedirect':
        redirect = filter;
        break;
      case 'URLRewrite':
        rewrite = { hostname: filter.hostname, path: filter.path };
        break;
    }
  }
  return { request: request.finish(), response: response.finish(), redirect, rewrite };
}

/** Header edits applied one after the other, kept as one edit that does the same (remove, then set, then add). */
class EditFold {
  readonly #set = new Map<string, string>();
  readonly #add: HeaderValue[] = [];
  readonly #remove = new Set<string>();

  apply(edits: HeaderEdits): void {
    for (const name of edits.remove) {
      this.#forget(name.toLowerCase());
      this.#remove.add(name.toLowerCase());
    }
    for (const { name, value } of edits.set) {
      this.#forget(name.toLowerCase());
      this.#set.set(name.toLowerCase(), value);
    }
    for (const { name, value } of edits.add) this.#add.push({ name: name.toLowerCase(), value });
  }

  #forget(name: string): void {
    this.#set.delete(name);
    for (let at = this.#add.length - 1; at >= 0; at -= 1) {
      if (this.#add[at]?.name === name) this.#add.splice(at, 1);
    }
  }

  finish(): HeaderEdits | null {
    if (this.#set.size === 0 && this.#add.length === 0 && this.#remove.size === 0) return null;
    const set = [...this.#set].map(([name, value]) => ({ name, value }));
    return { set, add: [...this.#add], remove: [...this.#remove] };
  }
}
