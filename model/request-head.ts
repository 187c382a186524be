/**
 * What a decision reads of a request. The proxy keeps one mutable object per worker that implements it over the
 * engine's row, so nothing is allocated per request; the decisions never keep it.
 */
export interface RequestHead {
  /** As sent; methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** The authority as sent (Host, or the absolute target's): what a match of the header `host` compares. */
  readonly authority: string;
  /** The authority's host, by {@link normalizeHost}: lower case, no port, no trailing dot. */
  readonly host: string;
  /** The path's normal form, by {@link normalizePath}, without the query. */
  readonly path: string;
  /** What keeps the path as sent from having one meaning, by {@link pathAmbiguities}; 0 is nothing. */
  readonly ambiguities: number;
  /** The query without its `?`; empty where there is none. */
  readonly query: string;
  /**
   * Value of a header by its lower-case name, several fields joined by `, `; null where the request has none.
   * Called only for the names in {@link Snapshot.headerNames}; throws for a name it cannot answer, so that the
   * request fails closed.
   */
  header(name: string): string | null;
}

/** Where the query begins in a request target: the index of `?`, or the target's length. */
export function pathEnd(target: string): number {
  const mark = target.indexOf('?');
  return mark < 0 ? target.length : mark;
}

/**
 * The host of an authority in normal form: lower case, without port and without the trailing dot of an absolute
 * name. An IPv6 literal keeps its brackets. Returns the same string where it already is normal.
 */
export function normalizeHost(authority: string): string {
  let end = authority.length;
  if (authority.charCodeAt(0) === 0x5b) {
    const close = authority.indexOf(']');
    if (close > 0) end = close + 1;
  } else {
    const colon = authority.indexOf(':');
    if (colon >= 0) end = colon;
  }
  if (end > 1 && authority.charCodeAt(end - 1) === 0x2e) end -= 1;
  let upper = false;
  for (let at = 0; at < end && !upper; at += 1) {
    const unit = authority.charCodeAt(at);
    upper = unit >= 0x41 && unit <= 0x5a;
  }
  const host = end === authority.length ? authority : authority.slice(0, end);
  return upper ? host.toLowerCase() : host;
}
